package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"net/netip"
	"strings"

	"icebox/internal/hostnet"
)

// guestPrefix begins the id of a guest of /api/ice, which no peer of a room has.
const guestPrefix = "guest-"

// guests names those who ask for credentials without being anybody. All of one
// household, an IPv4 address or IPv6 /64, are the same guest: quotas count by name, and
// a new name at each request would have none. What is in it tells nobody the address.
type guests struct{ key [sha256.Size]byte }

func newGuests() *guests {
	g := new(guests)
	rand.Read(g.key[:]) // never fails
	return g
}

func (g *guests) id(from netip.Addr) string {
	mac := hmac.New(sha256.New, g.key[:])
	mac.Write(hostnet.Household(from).AsSlice())
	return guestPrefix + base32.StdEncoding.EncodeToString(mac.Sum(nil)[:15])
}

// IsGuest says whether the id of time-limited credentials is that of a guest of
// /api/ice.
func IsGuest(id string) bool { return strings.HasPrefix(id, guestPrefix) }

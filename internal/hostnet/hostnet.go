// Package hostnet says what an address, or the name of an interface, tells of
// the host behind it, and which address of this host leads to the internet.
package hostnet

import (
	"net/netip"
	"slices"
	"strings"
)

// Household is whom a limit by address counts: an IPv4 address, or the first
// address of an IPv6 /64, of which a home has at least one. The zero Addr stays
// what it is, so that all who can't be told apart count as one.
func Household(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	return netip.PrefixFrom(a, 64).Masked().Addr()
}

// IsPrivate says whether a is an address that only a network of its own can
// reach: of a home (RFC 1918, RFC 4193), or of a carrier or an overlay
// (RFC 6598).
func IsPrivate(a netip.Addr) bool {
	return a.IsPrivate() || netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10).Contains(a)
}

// IsShared says whether a is an address that a provider gives to many homes at
// once, so that no port of it can be forwarded to one: RFC 6598, and RFC 6333 §10.
func IsShared(a netip.Addr) bool {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10).Contains(a) ||
		netip.PrefixFrom(netip.AddrFrom4([4]byte{192}), 24).Contains(a)
}

// special4 are IPv4 ranges that look public and that the internet does not route
// to a box: protocol assignments (DS-Lite has its own end there, RFC 6333),
// benchmarks (what TUN proxies make up addresses of, RFC 2544), the anycast of
// 6to4 (RFC 7526), and what is reserved (RFC 1112).
var special4 = []netip.Prefix{
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
}

// OnInternet says whether the internet can send to a. The ranges for
// documentation pass: they stand for such addresses.
func OnInternet(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsGlobalUnicast() && !IsPrivate(a) &&
		!slices.ContainsFunc(special4, func(p netip.Prefix) bool { return p.Contains(a) })
}

// IsContainer says whether an interface belongs to containers or virtual
// machines of this host, by the names that their managers give. A Docker network
// is br- and 12 hex digits; br-lan is a router's LAN.
func IsContainer(name string) bool {
	for _, prefix := range []string{"docker", "veth", "cni", "podman", "virbr", "lxcbr", "lxdbr", "flannel", "cali", "vmnet", "vboxnet"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	id, found := strings.CutPrefix(name, "br-")
	return found && IsContainerID(id)
}

// IsContainerID says whether a name is one that Docker or Podman gives to a container,
// or a part of a network's: the first 12 hex digits of a number of its own.
func IsContainerID(name string) bool {
	return len(name) == 12 && strings.Trim(name, "0123456789abcdef") == ""
}

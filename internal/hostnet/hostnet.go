// Package hostnet says what an address, or the name of an interface, tells of
// the host behind it, and which address of this host leads to the internet.
package hostnet

import (
	"net/netip"
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
	return found && len(id) == 12 && strings.Trim(id, "0123456789abcdef") == ""
}

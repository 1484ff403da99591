package turnserver

import "net/netip"

// policy decides which peers a client may reach. It is immutable; a reload, or
// a change of the interfaces, makes a new one.
//
// The order is: deny, what can never be opened, allow, what is built in,
// permit. Allow opens neither loopback, link-local, multicast, broadcast and
// unspecified addresses nor an address of the box itself.
//
// The own public address, which the router has, is not known here: what may be
// reached on it is decided before the policy is asked.
type policy struct {
	deny4, deny6   []netip.Prefix
	allow4, allow6 []netip.Prefix
	own            map[netip.Addr]string // the box's own and its broadcast addresses, and why each is denied
	near           []netip.Prefix        // networks of the box that only allow opens
}

// Why a peer is denied. They are short enough to be the values of a metric's
// label; those of the built-in ranges are in ranges.go.
const (
	reasonInvalid    = "invalid"
	reasonZone       = "zone"
	reasonDenied     = "deny-list"
	reasonOwn        = "own-address"
	reasonBroadcast  = "broadcast"
	reasonOwnNetwork = "own-network"
	reasonNotGlobal  = "not-global"
)

// newPolicy makes a policy of turn.peers and of the addresses that the box has.
func newPolicy(allow, deny []netip.Prefix, own ownAddresses) *policy {
	p := &policy{own: make(map[netip.Addr]string), near: own.near()}
	p.deny4, p.deny6 = byFamily(deny)
	p.deny4 = append(p.deny4, unmapped(deny)...)
	p.allow4, p.allow6 = byFamily(allow)
	for _, a := range own.broadcasts() {
		p.own[a] = reasonBroadcast
	}
	for _, a := range own.addrs {
		p.own[a] = reasonOwn
	}
	return p
}

// permits reports whether a client may reach addr as a peer. It does not
// allocate.
func (p *policy) permits(addr netip.Addr) bool {
	return p.reason(addr) == ""
}

// reason says why addr is denied, or "" where it is permitted. It does not
// allocate.
//
// An IPv4 address spelled as an IPv6 one (::ffff:192.0.2.1) is not the IPv4
// address but one of the spellings that are denied whole, see embedded. Unmap
// what a socket reports before asking about it.
func (p *policy) reason(addr netip.Addr) string {
	switch {
	case !addr.IsValid():
		return reasonInvalid
	case addr.Zone() != "":
		return reasonZone
	case addr.Is4():
		return p.reason4(addr)
	default:
		return p.reason6(addr)
	}
}

func (p *policy) reason4(addr netip.Addr) string {
	if contains(p.deny4, addr) {
		return reasonDenied
	}
	if r := find(never4, addr); r != "" {
		return r
	}
	if r, found := p.own[addr]; found {
		return r
	}
	if contains(p.allow4, addr) {
		return ""
	}
	if r := find(special4, addr); r != "" {
		return r
	}
	return p.nearby(addr)
}

func (p *policy) reason6(addr netip.Addr) string {
	if contains(p.deny6, addr) {
		return reasonDenied
	}
	if r := find(never6, addr); r != "" {
		return r
	}
	if r, found := p.own[addr]; found {
		return r
	}
	if contains(p.allow6, addr) {
		return p.inside(addr)
	}
	if r := find(special6, addr); r != "" {
		return r
	}
	if !globalUnicast6.Contains(addr) {
		return reasonNotGlobal
	}
	if isISATAP(addr.As16()) {
		return reasonISATAP
	}
	return p.nearby(addr)
}

// inside judges an IPv6 address that allow has opened by the IPv4 addresses
// written inside it: whoever opens NAT64 has not opened 64:ff9b::127.0.0.1, nor
// the LAN behind it. Opening that takes the IPv4 prefix in allow as well.
func (p *policy) inside(addr netip.Addr) string {
	found, n := embedded(addr)
	for _, a := range found[:n] {
		if r := p.reason4(a); r != "" {
			return r
		}
	}
	return ""
}

func (p *policy) nearby(addr netip.Addr) string {
	if contains(p.near, addr) {
		return reasonOwnNetwork
	}
	return ""
}

// byFamily sorts prefixes into IPv4 and IPv6 ones.
func byFamily(prefixes []netip.Prefix) (v4, v6 []netip.Prefix) {
	for _, p := range prefixes {
		if p = p.Masked(); p.Addr().Is4() {
			v4 = append(v4, p)
		} else if p.IsValid() {
			v6 = append(v6, p)
		}
	}
	return v4, v6
}

// unmapped returns the IPv4 prefixes that are written in their mapped spelling,
// ::ffff:198.51.100.0/120. Who denies one means the IPv4 addresses; who allows
// one opens that spelling alone.
func unmapped(prefixes []netip.Prefix) (v4 []netip.Prefix) {
	for _, p := range prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			v4 = append(v4, netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Masked())
		}
	}
	return v4
}

// contains expects addr without a zone and in the family of the prefixes: an
// IPv4 prefix never contains a mapped address.
func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

package natlab

import (
	"fmt"
	"net/netip"
)

// Wire joins two hosts by a cable of their own, with no router in between: what
// they send to each other's addresses takes it, everything else goes as before.
func (l *Lab) Wire(a, b *Host) {
	l.t.Helper()
	l.wires++
	name := fmt.Sprintf("wire%d", l.wires)
	a.ip(fmt.Sprintf("link add %s type veth peer name %s netns %s", name, name, b.ns.path()))
	a.wired(name, gateway6, wan6, b)
	b.wired(name, wan6, gateway6, a)
	a.carries(name)
	b.carries(name)
}

// wired brings up the host's end of a wire, with the link-local address own, and
// routes the other host's addresses over it. IPv4 needs no address there; IPv6
// finds its neighbor only by one.
func (h *Host) wired(name, own, next string, other *Host) {
	h.lab.t.Helper()
	lines := []string{
		addAddress(netip.MustParsePrefix(own+"/64"), name),
		fmt.Sprintf("link set %s up", name),
	}
	for _, to := range other.addrs {
		one := netip.PrefixFrom(to, to.BitLen())
		switch {
		case to.Is4() && h.Addr().IsValid():
			lines = append(lines, fmt.Sprintf("route add %s dev %s src %s", one, name, h.Addr()))
		case to.Is6() && h.Addr6().IsValid():
			lines = append(lines, fmt.Sprintf("route add %s via %s dev %s src %s", one, next, name, h.Addr6()))
		}
	}
	h.ip(lines...)
}

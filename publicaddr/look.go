package publicaddr

import (
	"net"
	"net/netip"
	"slices"

	"icebox/internal/hostnet"
)

// globalUnicast6 is all of IPv6 that the internet routes (RFC 4291 section 2.4).
var globalUnicast6 = netip.MustParsePrefix("2000::/3")

// lookAtSystem returns the addresses of this machine that a packet to the
// internet would come from, or else any that could be it.
func lookAtSystem() Addresses {
	return choose(hostnet.Outward4(), hostnet.Outward6(), readInterfaces)
}

// choose takes the routed addresses where they will do, and looks among those of the
// interfaces otherwise: a LAN need not have a way out, and a tunnel that everything is
// routed into has an address that nobody else can use.
func choose(v4, v6 netip.Addr, interfaces func() []iface) Addresses {
	found := Addresses{IPv4: v4, IPv6: v6}
	if hostnet.OnInternet(v4) && usable6(v6) {
		return found
	}
	list := interfaces()
	if !usable4(v4) || !hostnet.OnInternet(v4) && inTunnel(list, v4) {
		found.IPv4 = first(list, usable4)
	}
	if !usable6(v6) {
		found.IPv6 = first(list, usable6)
	}
	return found
}

// inTunnel says whether a is that of a tunnel.
func inTunnel(list []iface, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(i iface) bool { return i.tunnel && slices.Contains(i.addrs, a) })
}

// onInterface says whether an interface of this machine that is up has a.
func onInterface(a netip.Addr) bool {
	return slices.ContainsFunc(readInterfaces(), func(i iface) bool { return slices.Contains(i.addrs, a) })
}

// usable4 accepts private addresses: calls on the LAN can use them.
func usable4(a netip.Addr) bool { return a.Is4() && a.IsGlobalUnicast() }

// usable6 accepts global addresses alone: a private one is no use to browsers,
// which have another way on the LAN.
func usable6(a netip.Addr) bool { return globalUnicast6.Contains(a) }

// iface is one interface that is up.
type iface struct {
	name   string
	tunnel bool // of two ends: a VPN, or a line to the provider
	addrs  []netip.Addr
}

// first returns the first usable address, one of a tunnel only where there is no other,
// and none of a container network.
func first(list []iface, usable func(netip.Addr) bool) netip.Addr {
	var last netip.Addr
	for _, i := range list {
		for _, a := range i.addrs {
			switch {
			case !usable(a):
			case hostnet.IsContainer(i.name):
			case !i.tunnel:
				return a
			case !last.IsValid():
				last = a
			}
		}
	}
	return last
}

// readInterfaces returns the interfaces that are up, in the order of the
// system. One that can't be read is left out: it is just going away.
func readInterfaces() []iface {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var list []iface
	for _, i := range all {
		addrs, err := i.Addrs()
		if i.Flags&net.FlagUp == 0 || err != nil {
			continue
		}
		one := iface{name: i.Name, tunnel: i.Flags&net.FlagPointToPoint != 0}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				addr, _ := netip.AddrFromSlice(n.IP) // the zero Addr is not usable
				one.addrs = append(one.addrs, addr.Unmap())
			}
		}
		list = append(list, one)
	}
	return list
}

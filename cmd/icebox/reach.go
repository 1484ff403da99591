package main

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"

	"icebox/config"
	"icebox/internal/hostnet"
)

// lanAddress is one address of this box that its own network can use.
type lanAddress struct {
	ip     netip.Addr
	via    string // the name of its interface
	tunnel bool   // the interface leads to one other host: a VPN, or a dial-up line
}

// lanAddresses lists the addresses of the interfaces that are up, those of
// containers aside, the one that leads to the internet first, IPv4 before IPv6,
// tunnels last. A box without a network has loopback alone.
func lanAddresses() []lanAddress {
	var found []lanAddress
	interfaces, _ := net.Interfaces() // none: loopback below
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || hostnet.IsContainer(i.Name) {
			continue
		}
		addrs, _ := i.Addrs() // an interface can go at any moment
		for _, a := range addrs {
			if ip := addressOf(a); ip.IsGlobalUnicast() {
				found = append(found, lanAddress{ip, i.Name, i.Flags&net.FlagPointToPoint != 0})
			}
		}
	}
	if len(found) == 0 {
		return []lanAddress{{ip: netip.AddrFrom4([4]byte{127, 0, 0, 1}), via: "loopback"}}
	}
	first := defaultAddress()
	slices.SortStableFunc(found, func(a, b lanAddress) int {
		return cmp.Compare(a.rank(first), b.rank(first))
	})
	return found
}

// rank sorts first, the address of the default route, before other IPv4
// addresses, those before IPv6 ones, and what tunnels have last. The internet
// knows the address of a dial-up line, and not that of a VPN.
func (a lanAddress) rank(first netip.Addr) int {
	switch {
	case a.ip == first && (!a.tunnel || hostnet.OnInternet(first)):
		return 0
	case a.tunnel:
		return 3
	case a.ip.Is4():
		return 1
	}
	return 2
}

// defaultAddress is the address that this box uses towards the internet; the
// zero Addr where it has no way there.
func defaultAddress() netip.Addr {
	if ip := hostnet.Outward4(); ip.IsValid() {
		return ip
	}
	return hostnet.Outward6()
}

// addressOf is the IP address of a, the zero Addr where it has none.
func addressOf(a net.Addr) netip.Addr {
	var ip net.IP
	switch a := a.(type) {
	case *net.IPNet:
		ip = a.IP
	case *net.UDPAddr:
		ip = a.IP
	case *net.TCPAddr:
		ip = a.IP
	}
	found, _ := netip.AddrFromSlice(ip)
	return found.Unmap()
}

// portOf is the port of a listener.
func portOf(a net.Addr) int {
	switch a := a.(type) {
	case *net.UDPAddr:
		return a.Port
	case *net.TCPAddr:
		return a.Port
	}
	return 0
}

// outsidePort is the port of public.url, which a router forwards to port;
// otherwise port itself.
func outsidePort(cfg *config.Config, port int) int {
	u, err := url.Parse(cfg.Public.URL)
	if err != nil || u.Host == "" {
		return port
	}
	if n, err := strconv.Atoi(u.Port()); err == nil {
		return n
	}
	if u.Scheme == "http" {
		return 80
	}
	return 443
}

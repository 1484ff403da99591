package certs

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"icebox/internal/hostnet"
)

// box is what a machine can be called by those who want to reach it.
type box struct {
	hostname  string
	lasting   []netip.Addr // private addresses of its networks
	public    []netip.Addr // IPv4 addresses of its interfaces that are not private
	transient []netip.Addr // those that come and go: global IPv6, containers, tunnels, link-local
}

// readBox asks the system. An unknown host name is none.
func readBox() (box, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return box{}, fmt.Errorf("read the interfaces: %w", err)
	}
	var b box
	b.hostname, _ = os.Hostname()
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			return box{}, fmt.Errorf("read the addresses of %s: %w", i.Name, err)
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				b.add(i.Name, i.Flags&net.FlagPointToPoint != 0, n.IP)
			}
		}
	}
	return b, nil
}

// add sorts in an address of the interface of this name, which may be a tunnel
// such as a VPN or a dialled line. A link-local IPv6 address is left out: it is
// nothing without a zone, and no URL has one.
func (b *box) add(name string, tunnel bool, ip net.IP) {
	a, ok := netip.AddrFromSlice(ip)
	a = a.Unmap()
	switch {
	case !ok || a.IsMulticast() || a.IsUnspecified() || a.Is6() && a.IsLinkLocalUnicast():
	case tunnel || hostnet.IsContainer(name) || a.IsLinkLocalUnicast() || a.Is6() && !a.IsPrivate():
		b.transient = append(b.transient, a)
	case hostnet.IsPrivate(a):
		b.lasting = append(b.lasting, a)
	default:
		b.public = append(b.public, a)
	}
}

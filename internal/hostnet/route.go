package hostnet

import (
	"context"
	"net"
	"net/netip"
)

// Outward4 is the IPv4 address that this machine uses towards the internet, none
// where it has no way there.
func Outward4() netip.Addr { return outward("udp4", "193.0.14.129:9") }

// Outward6 is the IPv6 address that this machine uses towards the internet, none
// where it has no way there. On Linux it is one that stays where there is one that
// is not deprecated: a privacy address (RFC 8981) is another one every day.
func Outward6() netip.Addr { return outward("udp6", "[2001:7fd::1]:9") }

// outward asks the routing table about far, which is an address of a root name
// server: routes of a machine's own seldom lead there. Connecting a UDP socket
// sends nothing.
func outward(network, far string) netip.Addr {
	dialer := net.Dialer{Control: preferLasting}
	c, err := dialer.DialContext(context.Background(), network, far)
	if err != nil {
		return netip.Addr{} // no route: there is none in this family
	}
	defer c.Close()
	local, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.Addr{}
	}
	return local.AddrPort().Addr().Unmap().WithZone("")
}

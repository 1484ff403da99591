package turnserver

import "net/netip"

// transport is what a client speaks TURN over.
type transport uint8

const (
	overUDP transport = iota
	overTCP
	overTLS
)

func (t transport) String() string { return [...]string{"udp", "tcp", "tls"}[t] }

// tuple is the 5-tuple of a client (RFC 8656 section 2): IPv4 addresses are in
// their 4-byte form. Local is the address that the client asked, so that a host
// with several addresses keeps them apart.
type tuple struct {
	client    netip.AddrPort
	local     netip.AddrPort
	transport transport
}

// unmap turns an IPv4 address that a dual-stack socket reports in IPv6 form
// into itself.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// spread tells tuples apart a little, to share them out.
func (t tuple) spread() uint16 {
	addr, port := t.client.Addr().As16(), t.client.Port()
	return port ^ port>>8 ^ uint16(addr[15])
}

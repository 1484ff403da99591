package web

import (
	"errors"
	"net"
	"net/netip"
	"sync"
)

// Why a connection was refused: the label of a counter.
const (
	refusedMax      = "max_connections"
	refusedAddress  = "connections_per_address"
	refusedGreeting = "greeting"
)

var (
	errMax     = errors.New("signaling.max_connections reached")
	errAddress = errors.New("signaling.connections_per_address reached")
)

// gate counts the connections of one listener, in all and by address, from
// Accept to Close, whatever they become in between.
type gate struct {
	mu         sync.Mutex // guards what follows
	max        int
	perAddress int
	open       int
	by         map[netip.Prefix]int
	refused    map[string]uint64
}

func newGate(max, perAddress int) *gate {
	return &gate{
		max: max, perAddress: perAddress,
		by:      make(map[netip.Prefix]int),
		refused: make(map[string]uint64),
	}
}

// limit sets new caps. Connections above them stay.
func (g *gate) limit(max, perAddress int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.max, g.perAddress = max, perAddress
}

// enter counts c, until the connection it returns is closed.
func (g *gate) enter(c net.Conn) (net.Conn, error) {
	from := neighbourhood(remoteAddr(c.RemoteAddr()))
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open >= g.max {
		g.refused[refusedMax]++
		return nil, errMax
	}
	if g.by[from] >= g.perAddress {
		g.refused[refusedAddress]++
		return nil, errAddress
	}
	g.open++
	g.by[from]++
	return &counted{Conn: c, leave: sync.OnceFunc(func() { g.leave(from) })}, nil
}

func (g *gate) leave(from netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	if g.by[from]--; g.by[from] == 0 {
		delete(g.by, from)
	}
}

// count adds one refusal.
func (g *gate) count(reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused[reason]++
}

// counted is a connection that leaves its gate when it is closed.
type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// neighbourhood is what is counted as one client: an IPv4 address, or an IPv6
// /64, of which one household has at least one.
func neighbourhood(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the zero Addr gives the zero Prefix
	return p
}

// remoteAddr is the IP address of a.
func remoteAddr(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr()
	}
	return netip.Addr{}
}

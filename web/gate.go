package web

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"icebox/config"
	"icebox/internal/hostnet"
	"icebox/internal/nowait"
)

// Why a connection was refused: the label of a counter.
const (
	refusedMax      = "max_connections"
	refusedAddress  = "connections_per_address"
	refusedGreeting = "greeting"
)

var (
	errMax     = errors.New("too many connections in all")
	errAddress = errors.New("too many connections of this address")
)

// What the gate lets in beyond the WebSockets that signaling may have: pages, and
// peers that come back where others have taken their place.
const (
	spareInAll   = 1024
	spareAddress = 64
)

// caps is how many connections the signaling port takes, in all and of one
// address. The caps of signaling are those of WebSockets, and signaling holds
// them itself: with a close frame, since a browser shows a page nothing of a
// connection that was cut. So there has to be room here for one that is only
// let in to be told, for what browsers keep open beside their WebSocket, and for
// TURN over TLS, which has caps of its own.
func caps(cfg *config.Config) (max, perAddress int) {
	sockets, turn := &cfg.Signaling, &cfg.TURN.Limits
	return sockets.MaxConnections + turn.Connections + spareInAll,
		sockets.ConnectionsPerAddress + turn.ConnectionsPerAddress + spareAddress
}

// gate counts the connections of one listener, in all and by address, from
// Accept to Close, whatever they become in between. A browser keeps half a dozen
// connections of each page open in case it wants more: at a cap, one of those is
// closed to let a new one in.
type gate struct {
	mu         sync.Mutex // guards what follows
	max        int
	perAddress int
	proxies    []netip.Prefix // which stand for many clients
	open       int
	by         map[netip.Addr]int
	idle       map[netip.Addr]map[*counted]struct{} // between two requests
	refused    map[string]uint64
}

func newGate(max, perAddress int) *gate {
	return &gate{
		max: max, perAddress: perAddress,
		by:      make(map[netip.Addr]int),
		idle:    make(map[netip.Addr]map[*counted]struct{}),
		refused: make(map[string]uint64),
	}
}

// limit sets new caps, and the proxies that the one of an address is not for.
// Connections above them stay.
func (g *gate) limit(max, perAddress int, proxies []netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.max, g.perAddress, g.proxies = max, perAddress, proxies
}

// enter counts c, until the connection it returns is closed.
func (g *gate) enter(c net.Conn) (net.Conn, error) {
	address := remoteAddr(c.RemoteAddr())
	from := hostnet.Household(address)
	for {
		victim, err := g.admit(from, address)
		if err != nil {
			return nil, err
		}
		if victim == nil {
			return &counted{Conn: nowait.New(c), from: from, leave: sync.OnceFunc(func() { g.leave(from) })}, nil
		}
		victim.Close()
	}
}

// admit counts a connection of address for from, its household. Where a cap does not allow it, it returns
// an idle one that is to be closed first, or why there is none.
func (g *gate) admit(from, address netip.Addr) (victim *counted, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	reason := ""
	switch {
	case g.by[from] >= g.perAddress && !isTrusted(address, g.proxies):
		reason, err = refusedAddress, errAddress
		victim = g.anyIdle(from)
	case g.open >= g.max:
		reason, err = refusedMax, errMax
		for p := range g.idle {
			victim = g.anyIdle(p)
			break
		}
	default:
		g.open++
		g.by[from]++
		return nil, nil
	}
	if victim != nil {
		return victim, nil
	}
	g.refused[reason]++
	return nil, err
}

// anyIdle takes one idle connection of from out of the idle ones. mu is held.
func (g *gate) anyIdle(from netip.Addr) *counted {
	for c := range g.idle[from] {
		g.setIdle(c, false)
		return c
	}
	return nil
}

// setIdle notes whether c is between two requests. mu is held.
func (g *gate) setIdle(c *counted, idle bool) {
	if idle && g.idle[c.from] == nil {
		g.idle[c.from] = make(map[*counted]struct{})
	}
	if idle {
		g.idle[c.from][c] = struct{}{}
		return
	}
	if delete(g.idle[c.from], c); len(g.idle[c.from]) == 0 {
		delete(g.idle, c.from)
	}
}

// follow is told the states of the connections of an http.Server.
func (g *gate) follow(c net.Conn, state http.ConnState) {
	if own := countedOf(c); own != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.setIdle(own, state == http.StateIdle)
	}
}

func (g *gate) leave(from netip.Addr) {
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
	from  netip.Addr
	leave func()
}

// NetConn is the connection inside.
func (c *counted) NetConn() net.Conn { return c.Conn }

func (c *counted) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// countedOf finds the counted connection inside of c.
func countedOf(c net.Conn) *counted {
	for layer := range nowait.Layers(c) {
		if own, ok := layer.(*counted); ok {
			return own
		}
	}
	return nil
}

// remoteAddr is the IP address of a.
func remoteAddr(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr()
	}
	return netip.Addr{}
}

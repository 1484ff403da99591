package turnserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

const (
	maxDatagram4 = 65507 // UDP payload over IPv4
	maxDatagram6 = 65527 // and over IPv6
	// listenBuffer is the buffer asked for in each direction, in bytes: a burst of
	// all clients waits in it. The kernel may give less.
	listenBuffer = 4 << 20
)

// udpListener is one address that TURN is served on over UDP: several sockets
// that share it, so that the kernel spreads the clients over them.
type udpListener struct {
	sockets []*udpSocket
}

// udpSocket is one socket of a listener.
type udpSocket struct {
	conn *net.UDPConn
	out  *sender
	// local is the address it is bound to; wildcard, that this is every address
	// of the host, and each packet says which.
	local    netip.AddrPort
	wildcard bool
}

// listenUDP opens all sockets of an address, or none.
func listenUDP(address string) (*udpListener, error) {
	conns, err := openShared(address, udpSockets())
	if err != nil {
		return nil, fmt.Errorf("listening on udp %s: %w", address, err)
	}
	l := new(udpListener)
	for _, conn := range conns {
		out, err := newSender(conn)
		if err != nil {
			closeAll(conns)
			return nil, fmt.Errorf("listening on udp %s: %w", address, err)
		}
		local := unmap(conn.LocalAddr().(*net.UDPAddr).AddrPort())
		growBuffers(conn)
		l.sockets = append(l.sockets, &udpSocket{
			conn: conn, out: out, local: local,
			wildcard: local.Addr().IsUnspecified() && askDestination(conn) == nil,
		})
	}
	return l, nil
}

// openShared opens n sockets of one address. The first one is opened without
// sharing, so that an address which another process has is an error.
func openShared(address string, n int) ([]*net.UDPConn, error) {
	probe, err := openUDP(address, false)
	if err != nil || n == 1 {
		return []*net.UDPConn{probe}, err
	}
	address = probe.LocalAddr().String() // with the port that was chosen for port 0
	probe.Close()
	var conns []*net.UDPConn
	for range n {
		conn, err := openUDP(address, true)
		if err != nil {
			closeAll(conns)
			return nil, err
		}
		conns = append(conns, conn)
	}
	return conns, nil
}

func closeAll(conns []*net.UDPConn) {
	for _, c := range conns {
		c.Close()
	}
}

func openUDP(address string, shared bool) (*net.UDPConn, error) {
	lc := net.ListenConfig{}
	if shared {
		lc.Control = controlShared
	}
	conn, err := lc.ListenPacket(context.Background(), network("udp", address), address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

// network is udp or tcp for the address families of a listen address: an IPv4
// one, 0.0.0.0 too, is IPv4 alone.
func network(name, address string) string {
	if ap, err := netip.ParseAddrPort(address); err == nil && ap.Addr().Is4() {
		return name + "4"
	}
	return name
}

func (l *udpListener) addr() net.Addr { return l.sockets[0].conn.LocalAddr() }

func (l *udpListener) close() {
	for _, s := range l.sockets {
		s.conn.Close()
	}
}

// serve reads one socket until it is closed. No error but that ends it.
func (s *udpSocket) serve(g *guard, log *slog.Logger) {
	packet := make([]byte, maxPayload)
	control := make([]byte, controlSize)
	var m message
	pause := backoff{}
	for {
		n, cn, _, from, err := s.conn.ReadMsgUDPAddrPort(packet, control)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			pause.wait(log, "reading a UDP listener", err)
			continue
		}
		pause.reset()
		t := tuple{client: unmap(from), local: s.asked(control[:cn]), transport: overUDP}
		s.handle(g, t, packet[:n], &m)
	}
}

// asked is the address that a packet came to.
func (s *udpSocket) asked(control []byte) netip.AddrPort {
	if s.wildcard {
		if addr, ok := destination(control); ok {
			return netip.AddrPortFrom(addr.Unmap(), s.local.Port())
		}
	}
	return s.local
}

func (s *udpSocket) handle(g *guard, t tuple, packet []byte, m *message) {
	switch {
	case carries(packet):
		if session := g.table.get(t); session != nil {
			g.passUp(session, packet, m)
		} else {
			g.stats.orphans.Add(1)
		}
	case isSTUN(packet):
		g.handle(&origin{tuple: t, client: s.client(t)}, packet)
	default:
		g.stats.malformed.Add(1)
	}
}

// client is the way back to the client of a 5-tuple, from the address that he
// asked.
func (s *udpSocket) client(t tuple) *udpClient {
	c := &udpClient{out: s.out, addr: t.client, limit: datagramLimit(t.client.Addr())}
	if s.wildcard {
		c.control = source(t.local.Addr(), s.local.Addr().Is4())
	}
	return c
}

// datagramLimit is the largest UDP payload for an address of this family.
func datagramLimit(to netip.Addr) int {
	if to.Is4() {
		return maxDatagram4
	}
	return maxDatagram6
}

// udpClient is a client over UDP.
type udpClient struct {
	out     *sender
	addr    netip.AddrPort
	control []byte // names the source address, on wildcard sockets
	limit   int
}

func (c *udpClient) send(packet []byte) (drop, bool) {
	if err := c.out.send(packet, c.control, c.addr); err != nil {
		return sendDrop(err), false
	}
	return 0, true
}

func (c *udpClient) fits() int { return c.limit }

// backoff waits longer from error to error, and logs the first of a row: a
// listener that is out of descriptors or memory serves again by itself.
type backoff struct{ d time.Duration }

func (b *backoff) wait(log *slog.Logger, what string, err error) {
	if b.d == 0 {
		log.Warn(what+", trying again", "err", err)
		b.d = 5 * time.Millisecond
	} else {
		b.d = min(2*b.d, time.Second)
	}
	time.Sleep(b.d)
}

func (b *backoff) reset() { b.d = 0 }

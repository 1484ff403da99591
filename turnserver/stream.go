package turnserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Deadlines of streams.
const (
	firstFrame = 10 * time.Second // until the first whole frame
	wholeFrame = 15 * time.Second // from the first byte of a frame to its last
	idleStream = 5 * time.Minute  // without a session
	// idleSession is for streams with a session. The session's own end comes
	// first: a client has to refresh it.
	idleSession = 2 * time.Hour
	writeStall  = 15 * time.Second
	// queueBytes is how much waits for a slow client before packets are dropped.
	queueBytes = 256 << 10
)

// streams are the connections of clients over TCP and TLS, bounded in all and
// by address.
type streams struct {
	guard *guard
	log   *slog.Logger

	mu     sync.Mutex // guards what follows
	open   map[*stream]struct{}
	byAddr map[netip.Addr]int
	closed bool
	done   sync.WaitGroup
}

func newStreams(g *guard, log *slog.Logger) *streams {
	return &streams{guard: g, log: log, open: make(map[*stream]struct{}), byAddr: make(map[netip.Addr]int)}
}

// listenTCP opens a stream listener.
func listenTCP(address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), network("tcp", address), address)
	if err != nil {
		return nil, fmt.Errorf("listening on tcp %s: %w", address, err)
	}
	return l, nil
}

// serve accepts connections until the listener is closed. No error but that
// ends it.
func (ss *streams) serve(l net.Listener, over transport) {
	pause := backoff{}
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			pause.wait(ss.log, "accepting a TURN connection", err)
			continue
		}
		pause.reset()
		ss.accept(conn, over)
	}
}

// accept serves a connection on goroutines of its own, or closes it where there
// are too many.
func (ss *streams) accept(conn net.Conn, over transport) {
	s, ok := newStream(ss, conn, over)
	if !ok || !ss.add(s) {
		conn.Close()
		return
	}
	go s.run()
}

// block is whom a limit by address counts: an IPv4 address or an IPv6 /64.
func block(addr netip.Addr) netip.Addr {
	if addr.Is4() {
		return addr
	}
	p, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return addr
	}
	return p.Addr()
}

func (ss *streams) add(s *stream) bool {
	limits := &ss.guard.settings.Load().limits
	addr := block(s.origin.tuple.client.Addr())
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.closed || len(ss.open) >= limits.Connections || ss.byAddr[addr] >= limits.ConnectionsPerAddress {
		return false
	}
	ss.open[s] = struct{}{}
	ss.byAddr[addr]++
	ss.done.Add(1)
	return true
}

func (ss *streams) remove(s *stream) {
	addr := block(s.origin.tuple.client.Addr())
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.open, s)
	if ss.byAddr[addr]--; ss.byAddr[addr] == 0 {
		delete(ss.byAddr, addr)
	}
	ss.done.Done()
}

// count is how many streams are open.
func (ss *streams) count() int {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return len(ss.open)
}

// close ends all streams and waits for them.
func (ss *streams) close() {
	ss.mu.Lock()
	ss.closed = true
	for s := range ss.open {
		s.conn.Close()
	}
	ss.mu.Unlock()
	ss.done.Wait()
}

// stream is one connection.
type stream struct {
	owner  *streams
	conn   net.Conn
	origin origin
	out    *queue
}

func newStream(owner *streams, conn net.Conn, over transport) (*stream, bool) {
	client, ok1 := conn.RemoteAddr().(*net.TCPAddr)
	local, ok2 := conn.LocalAddr().(*net.TCPAddr)
	if !ok1 || !ok2 {
		return nil, false
	}
	s := &stream{owner: owner, conn: conn, out: newQueue(conn)}
	s.origin = origin{
		tuple:  tuple{client: unmap(client.AddrPort()), local: unmap(local.AddrPort()), transport: over},
		client: s.out,
	}
	return s, true
}

// run reads the stream until it ends, and with it its session.
func (s *stream) run() {
	defer s.owner.remove(s)
	var writer sync.WaitGroup
	writer.Go(s.out.run)
	s.read()
	s.conn.Close()
	s.out.close()
	writer.Wait()
	if session := s.owner.guard.table.get(s.origin.tuple); session != nil {
		s.owner.guard.end(session)
	}
}

// read handles frame after frame. What it ends with is the client's doing, and
// nobody's to mend.
func (s *stream) read() {
	g := s.owner.guard
	in := newFrames(s.conn)
	var m message
	wait := firstFrame
	for {
		s.conn.SetReadDeadline(time.Now().Add(wait))
		if in.wait() != nil {
			return
		}
		session := g.table.get(s.origin.tuple)
		limit := strangerFrame
		if session != nil {
			limit = maxFrame
		}
		if !in.buffered() {
			s.conn.SetReadDeadline(time.Now().Add(wholeFrame))
		}
		packet, err := in.next(limit)
		if err != nil {
			return
		}
		switch {
		case !carries(packet):
			s.origin.trusted = g.handle(&s.origin, packet) || s.origin.trusted
		case session != nil:
			g.data(session, packet, &m)
		default:
			g.stats.orphans.Add(1)
		}
		wait = idleStream
		if session != nil {
			wait = idleSession
		}
	}
}

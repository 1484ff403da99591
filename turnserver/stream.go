package turnserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"icebox/internal/hostnet"
	"icebox/internal/nowait"
)

// Deadlines of streams.
const (
	firstFrame   = 10 * time.Second // until the first byte, and for a TLS handshake
	wholeFrame   = 15 * time.Second // from the first byte of a frame to its last
	strangerTime = time.Minute      // in all, for who has not authenticated
	idleStream   = 5 * time.Minute  // between two frames, without a session
	writeStall   = 15 * time.Second // for what is written at once
	lastWords    = 2 * time.Second  // for what waits when the client has said its last
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

// streamListener is a listener, and what the clients speak on it.
type streamListener struct {
	net.Listener
	over transport
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
// ends it. conf is for the TLS of those that speak it.
func (ss *streams) serve(l streamListener, conf *tls.Config) {
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
		conn = nowait.New(conn)
		if l.over == overTLS {
			conn = tls.Server(conn, conf)
		}
		ss.accept(conn, l.over)
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

func (ss *streams) add(s *stream) bool {
	limits := &ss.guard.settings.Load().limits
	addr := hostnet.Household(s.origin.tuple.client.Addr())
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
	addr := hostnet.Household(s.origin.tuple.client.Addr())
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
	var closing sync.WaitGroup
	ss.mu.Lock()
	ss.closed = true
	for s := range ss.open {
		closing.Go(s.out.hangUp) // TLS says goodbye, which can take its time
	}
	ss.mu.Unlock()
	closing.Wait()
	ss.done.Wait()
}

// stream is one connection.
type stream struct {
	owner  *streams
	conn   net.Conn
	origin origin
	out    *queue
	since  time.Time

	bundle bundle         // of what comes together
	inHand *packetsInHand // while something is in it
}

func newStream(owner *streams, conn net.Conn, over transport) (*stream, bool) {
	client, ok1 := conn.RemoteAddr().(*net.TCPAddr)
	local, ok2 := conn.LocalAddr().(*net.TCPAddr)
	if !ok1 || !ok2 {
		return nil, false
	}
	s := &stream{owner: owner, conn: conn, out: newQueue(conn, over == overTLS), since: time.Now(), bundle: owner.guard.path.bundle()}
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
	err := s.read()
	if session := s.session(); session != nil {
		s.owner.guard.end(session)
	}
	if errors.Is(err, io.EOF) { // the client says no more, and may still listen
		late := time.AfterFunc(lastWords, s.out.hangUp)
		s.out.finish()
		writer.Wait()
		late.Stop()
	}
	s.out.hangUp()
	s.out.close()
	writer.Wait()
}

// session is the stream's own session, or nil.
func (s *stream) session() *session {
	session := s.owner.guard.table.get(s.origin.tuple)
	if session == nil || session.client != client(s.out) {
		return nil
	}
	return session
}

// open does the handshake of TLS, within firstFrame.
func (s *stream) open() error {
	conn, ok := s.conn.(*tls.Conn)
	if !ok {
		return nil
	}
	conn.SetDeadline(time.Now().Add(firstFrame))
	if err := conn.Handshake(); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{})
}

// read handles frame after frame. What it ends with is the client's doing, and
// nobody's to mend: io.EOF after a last whole frame.
func (s *stream) read() error {
	in := newFrames(s.conn)
	defer in.close()
	var m message
	if err := s.open(); err != nil {
		return err
	}
	s.out.open()
	defer s.pass()
	for wait, begun := firstFrame, false; ; {
		session := s.session()
		limit := strangerFrame
		if session != nil {
			limit = maxFrame
		}
		packet, err := in.next(limit)
		switch {
		case err != nil:
			return err
		case packet != nil:
			s.handle(session, packet, &m)
			wait, begun = idleStream, false
			continue
		}
		s.pass()
		if in.empty() {
			err = s.wait(in, limit, wait)
		} else {
			err = s.complete(in, limit, begun)
			begun = true
		}
		if err != nil {
			return err
		}
	}
}

// wait waits for the first bytes of the next frame, for a time. A stream whose session
// lives may be silent for longer: the session has an end of its own.
func (s *stream) wait(in *frames, limit int, d time.Duration) error {
	for {
		s.conn.SetReadDeadline(s.until(d))
		err := in.fill(limit)
		if !errors.Is(err, os.ErrDeadlineExceeded) || s.session() == nil {
			return err
		}
	}
}

// complete waits for more of a frame, and with the time that it has in all unless that
// has begun.
func (s *stream) complete(in *frames, limit int, begun bool) error {
	if !begun {
		s.conn.SetReadDeadline(s.until(wholeFrame))
	}
	return in.fill(limit)
}

// until is the deadline d from now, or for who has not authenticated the end of
// the time that strangers have, if that comes first.
func (s *stream) until(d time.Duration) time.Time {
	at, last := time.Now().Add(d), s.since.Add(strangerTime)
	if s.origin.user.username == "" && last.Before(at) {
		return last
	}
	return at
}

func (s *stream) handle(session *session, packet []byte, m *message) {
	g := s.owner.guard
	switch {
	case !carries(packet):
		s.pass() // a request may end what has let it pass, which waits for that
		g.handle(&s.origin, packet)
	case session != nil:
		if s.inHand == nil {
			s.inHand = g.inHand.enter(session.id)
		}
		g.data(g.clock.now(), s.bundle, session, packet, m)
	default:
		g.stats.orphans.Add(1)
	}
}

// pass sends what has come together and may pass.
func (s *stream) pass() {
	if s.inHand != nil {
		s.bundle.flush()
		s.inHand.leave()
		s.inHand = nil
	}
}

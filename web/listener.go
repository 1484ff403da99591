package web

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// greetTimeout is what a new connection has to say its first byte and to end
// its TLS handshake.
const greetTimeout = 10 * time.Second

// Of the first byte of a connection.
const tlsHandshake = 0x16 // RFC 8446 §5.1: the record type of a ClientHello

var errNotHTTP = errors.New("neither TLS nor HTTP")

// listener accepts connections for an http.Server. Those above the caps of its
// gate are closed at once; the others are greeted, each on a goroutine of its
// own, and come out of Accept when it is known what they speak. With TLS that
// is a connection whose handshake is done, or a plain one that began like HTTP,
// so that it can be told where to go. What speaks STUN inside of TLS does not
// come out: it is handed to turn.
type listener struct {
	raw   net.Listener
	gate  *gate
	tls   *tls.Config    // nil: plain
	turn  func(net.Conn) // nil: only HTTP is spoken
	log   *slog.Logger
	ready chan net.Conn
	done  chan struct{} // closed by Close

	greetings sync.WaitGroup
	mu        sync.Mutex // guards what follows
	closed    bool
	greeting  map[net.Conn]struct{}
}

// listen opens address. Connections are taken once run is called.
func listen(address string, g *gate, conf *tls.Config, turn func(net.Conn), log *slog.Logger) (*listener, error) {
	raw, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return &listener{
		raw: raw, gate: g, tls: conf, turn: turn, log: log,
		ready:    make(chan net.Conn),
		done:     make(chan struct{}),
		greeting: make(map[net.Conn]struct{}),
	}, nil
}

// Addr is where the listener listens.
func (l *listener) Addr() net.Addr { return l.raw.Addr() }

// Accept returns the next greeted connection, net.ErrClosed after Close.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close closes the listener and what is being greeted. It can be called again.
func (l *listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.done)
	for c := range l.greeting {
		c.Close()
	}
	return l.raw.Close()
}

// run accepts until Close and returns when all greetings have ended. Every
// other error, such as being out of descriptors, is waited out.
func (l *listener) run() {
	defer l.greetings.Wait()
	var pause time.Duration
	for {
		c, err := l.raw.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			pause = l.rest(pause, err)
			continue
		}
		pause = 0
		l.admit(c)
	}
}

// rest sleeps after a failed Accept, longer each time in a row and a second at
// most, and returns how long it was. The first of a row is logged.
func (l *listener) rest(last time.Duration, err error) time.Duration {
	if last == 0 {
		l.log.Warn("accepting a connection failed, trying again", "listen", l.Addr().String(), "err", err)
	}
	pause := min(max(2*last, 5*time.Millisecond), time.Second)
	select {
	case <-time.After(pause):
	case <-l.done:
	}
	return pause
}

// admit starts the greeting of c where the caps allow it.
func (l *listener) admit(c net.Conn) {
	g, err := l.gate.enter(c)
	if err != nil {
		l.log.Debug("connection refused", "err", err)
		c.Close()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		g.Close()
		return
	}
	l.greeting[g] = struct{}{}
	l.greetings.Go(func() { l.greet(g) })
}

// greet finds out what c speaks and hands it to Accept.
func (l *listener) greet(c net.Conn) {
	conn, err := l.open(c)
	l.mu.Lock()
	delete(l.greeting, c)
	l.mu.Unlock()
	if err != nil {
		l.log.Debug("connection not opened", "err", err)
		l.gate.count(refusedGreeting)
		c.Close()
		return
	}
	if p, ok := conn.(*peeked); ok && p.speaksSTUN() {
		l.turn(conn)
		return
	}
	select {
	case l.ready <- conn:
	case <-l.done:
		conn.Close()
	}
}

// open does the TLS handshake of a connection that begins one. Bounded by
// greetTimeout; the connection it returns has no deadline.
func (l *listener) open(c net.Conn) (net.Conn, error) {
	if l.tls == nil {
		return c, nil
	}
	c.SetDeadline(time.Now().Add(greetTimeout))
	first, err := readByte(c)
	if err != nil {
		return nil, fmt.Errorf("waiting for the first byte: %w", err)
	}
	opened := net.Conn(&peeked{Conn: c, first: first, held: true})
	switch {
	case first == tlsHandshake:
		conn := tls.Server(opened, l.tls)
		if err := conn.Handshake(); err != nil {
			return nil, fmt.Errorf("TLS handshake: %w", err)
		}
		if opened, err = l.unseal(conn); err != nil {
			return nil, err
		}
	case first < 'A' || first > 'Z': // no HTTP method begins so
		return nil, errNotHTTP
	}
	return opened, c.SetDeadline(time.Time{})
}

// unseal reads the first byte inside of TLS, which tells STUN from HTTP: ALPN
// is not asked, since few TURN clients offer any.
func (l *listener) unseal(conn *tls.Conn) (net.Conn, error) {
	if l.turn == nil {
		return conn, nil
	}
	first, err := readByte(conn)
	if err != nil {
		return nil, fmt.Errorf("waiting for the first byte inside of TLS: %w", err)
	}
	return &peeked{Conn: conn, first: first, held: true, sealed: true}, nil
}

func readByte(c net.Conn) (byte, error) {
	var b [1]byte
	for {
		n, err := c.Read(b[:])
		if n == 1 {
			return b[0], nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// peeked is a connection whose first byte has been read and is read again.
type peeked struct {
	net.Conn
	first byte
	held  bool // first is still to be read; only its reader touches it
	// sealed: Conn is TLS, and the byte came from inside.
	sealed bool
}

// speaksSTUN says whether a STUN message begins here (RFC 7983 section 7).
func (p *peeked) speaksSTUN() bool { return p.sealed && p.first <= 3 }

// NetConn is the connection inside.
func (p *peeked) NetConn() net.Conn { return p.Conn }

// sealed says whether a connection that came out of Accept is one of TLS.
func sealed(c net.Conn) bool {
	if p, ok := c.(*peeked); ok {
		return p.sealed
	}
	_, ok := c.(*tls.Conn)
	return ok
}

func (p *peeked) Read(b []byte) (int, error) {
	if !p.held || len(b) == 0 {
		return p.Conn.Read(b)
	}
	p.held = false
	b[0] = p.first
	return 1, nil
}

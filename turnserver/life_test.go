package turnserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v2"

	"icebox/config"
	"icebox/internal/nowait"
)

// TestPublicAddressChanges: a permission from before an address became that of
// the box's relays is void from then on, for it would let packets out to the
// router.
func TestPublicAddressChanges(t *testing.T) {
	var public atomic.Pointer[netip.Addr]
	set := func(s string) { a := netip.MustParseAddr(s); public.Store(&a) }
	set("9.9.9.1")
	s := runServer(t, nil, Options{Public: func() (v4, v6 netip.Addr) { return *public.Load(), netip.Addr{} }})
	a := dial(t, s, "udp")
	if relay := a.allocate(); relay.Addr() != *public.Load() {
		t.Fatalf("the relay address is %v", relay)
	}
	next := netip.MustParseAddrPort("9.9.9.2:53")
	wantCode(t, a.bind(0x4000, next), 0)
	x := sessionOf(t, s)
	set("9.9.9.2")
	dial(t, s, "udp").allocate()
	if p := x.flows.Load().permission(next.Addr()); p != nil {
		t.Error("the permission outlives the change")
	}
	wantCode(t, a.permit(next), 0)
	if p := x.flows.Load().permission(next.Addr()); p == nil || !p.own {
		t.Error("the new permission does not know the address as the box's own")
	}
	wantCode(t, a.bind(0x4000, next), stun.CodeForbidden)
	set("9.9.9.3")
	s.EndUser("admin")
	s.sessions.sweepOnce(false)
	if s.sessions.isOwn(next.Addr()) {
		t.Error("an address that no relay has any more is still the box's own")
	}
}

// runServer is startServer with options.
func runServer(t testing.TB, edit func(*config.Config), opt Options) *Server {
	t.Helper()
	if opt.Log == nil {
		opt.Log = slog.New(slog.NewTextHandler(io.Discard, nil)) // so that all is put into words
	}
	s, err := New(testConfig(edit), opt)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, s)
	return s
}

// TestRefreshOrExpiry: a Refresh that is granted is never followed by the end of
// the session that was due before it.
func TestRefreshOrExpiry(t *testing.T) {
	s := startServer(t, nil)
	for i := range 200 {
		c := dial(t, s, "udp")
		c.allocate()
		x := sessionOf(t, s)
		x.expires.set(s.clock.now())
		refreshed := make(chan *refusal)
		go func() { refreshed <- s.sessions.refresh(x, time.Hour) }()
		s.sessions.expire(x)
		if refused := <-refreshed; (refused == nil) != (len(s.Sessions()) == 1) {
			t.Fatalf("try %d: refused %v, %d sessions", i, refused, len(s.Sessions()))
		}
		s.EndUser("admin")
		c.conn.Close()
	}
}

// TestRemovedWhileAllocating: a user who is removed while his Allocate is on its
// way gets no session.
func TestRemovedWhileAllocating(t *testing.T) {
	var armed atomic.Pointer[Server]
	var asked atomic.Int64
	s := runServer(t, nil, Options{Public: func() (v4, v6 netip.Addr) {
		defer asked.Add(1)
		if s := armed.Swap(nil); s != nil {
			s.Update(testConfig(func(c *config.Config) { c.TURN.Users = c.TURN.Users[1:] }))
		}
		return netip.MustParseAddr("127.0.0.1"), netip.Addr{}
	}})
	o := origin{tuple: tuple{client: netip.MustParseAddrPort("1.1.1.1:1"), local: netip.MustParseAddrPort("127.0.0.1:1")}, client: new(discard)}
	user, _ := s.settings.Load().credentials.find("admin")
	eventually(t, "the sweep at the start has asked", func() bool { return asked.Load() > 0 })
	armed.Store(s)
	if _, refused := s.sessions.begin(user, o.tuple, o.client, transactionID{}, wanted{families: []byte{familyIPv4}, lifetime: time.Hour}); refused == nil {
		t.Error("a removed user got a session")
	}
	if n := len(s.Sessions()); n != 0 || s.sessions.accounts.total != 0 {
		t.Errorf("%d sessions, %d counted", n, s.sessions.accounts.total)
	}
}

// TestEndPeer: the sessions of one peer end, and nobody begins another with its
// credentials once it is gone.
func TestEndPeer(t *testing.T) {
	var gone atomic.Pointer[string]
	s := runServer(t, nil, Options{Gone: func(id string) bool { who := gone.Load(); return who != nil && *who == id }})
	as := func(id string) *testClient {
		c := dial(t, s, "udp")
		c.user, c.pass = s.MintPeer(id, time.Hour)
		return c
	}
	one, again, other, admin := as("one"), as("one"), as("other"), dial(t, s, "udp")
	for _, c := range []*testClient{one, again, other, admin} {
		c.allocate()
	}
	id := "one"
	gone.Store(&id)
	if n := s.EndPeer("one"); n != 2 {
		t.Errorf("%d sessions of the peer have ended, want 2", n)
	}
	if n := len(s.Sessions()); n != 2 {
		t.Errorf("%d sessions are left, want 2", n)
	}
	wantCode(t, as("one").request(stun.MethodAllocate, requestedUDP), stun.CodeUnauthorized)
	as("other").allocate()
	as("one more").allocate()
}

// TestGoneWhileAllocating: a peer that leaves while its Allocate is on its way gets
// no session.
func TestGoneWhileAllocating(t *testing.T) {
	var armed, left atomic.Bool
	s := runServer(t, nil, Options{
		Gone: func(string) bool { return left.Load() },
		Public: func() (v4, v6 netip.Addr) { // asked in an Allocate, and by sweeps at any time
			left.Store(armed.Load())
			return netip.MustParseAddr("127.0.0.1"), netip.Addr{}
		},
	})
	name, _ := s.MintPeer("one", time.Hour)
	user, known := s.settings.Load().credentials.find(name)
	o := origin{tuple: tuple{client: netip.MustParseAddrPort("1.1.1.1:1"), local: netip.MustParseAddrPort("127.0.0.1:1")}, client: new(discard)}
	armed.Store(true)
	if _, refused := s.sessions.begin(user, o.tuple, o.client, transactionID{}, wanted{families: []byte{familyIPv4}, lifetime: time.Hour}); !known || refused == nil {
		t.Error("a peer that had left got a session")
	}
}

// TestBandwidthOutlivesSessions: ending a session and beginning anew gives no
// more than the user has.
func TestBandwidthOutlivesSessions(t *testing.T) {
	var a accounts
	passed, now := 0, instant(0)
	for range 1000 {
		acc, _, _ := a.take("bob", 1, 1, 1)
		for acc.pay(now, 1000, 100_000) {
			passed += 1000
		}
		a.release(acc, 1)
		a.prune(now)
		now = now.add(time.Millisecond)
	}
	if passed > 200_000 {
		t.Errorf("%d bytes passed in a second, the limit is 100000", passed)
	}
	a.prune(now.add(time.Minute))
	if len(a.byName) != 0 {
		t.Error("an account without sessions is kept for good")
	}
}

// deadlines notes what a connection's read deadlines are set to.
type deadlines struct {
	net.Conn
	last atomic.Int64
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.last.Store(int64(time.Until(t)))
	return d.Conn.SetReadDeadline(t)
}

func (d *deadlines) left() time.Duration { return time.Duration(d.last.Load()) }

// TestStreamDeadlines: strangers have a minute in all, and a stream with a
// session waits for as long as that lives.
func TestStreamDeadlines(t *testing.T) {
	s := startServer(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	seen := &deadlines{Conn: accepted}
	s.streams.accept(seen, overTCP)
	c := &testClient{t: t, conn: conn, frames: newFrames(conn), user: "admin", pass: "secret"}
	for range 3 {
		c.exchange(stun.NewType(stun.MethodBinding, stun.ClassRequest))
	}
	if left := seen.left(); left > strangerTime {
		t.Errorf("a stranger has %v after three Bindings", left)
	}
	c.allocate()
	eventually(t, "who has authenticated may be idle", func() bool { return seen.left() > strangerTime })
	accepted.SetReadDeadline(time.Now()) // as if the idle time were over
	c.request(stun.MethodRefresh)
	if len(s.Sessions()) != 1 {
		t.Error("an idle stream has lost its session")
	}
}

// TestSlowReader: a client who takes little, but takes it, keeps his session.
func TestSlowReader(t *testing.T) {
	ours, his := net.Pipe()
	defer his.Close()
	q := newQueue(ours, false)
	done := make(chan struct{})
	go func() { defer close(done); q.run() }()
	for sent := 0; sent < queueBytes-2000; sent += 1000 {
		if why, ok := q.send(make([]byte, 1000)); !ok {
			t.Fatalf("dropped after %d bytes: %s", sent, dropNames[why])
		}
	}
	if _, ok := q.send(make([]byte, 4000)); ok {
		t.Error("the queue has no bound")
	}
	if _, err := io.CopyN(io.Discard, his, 100_000); err != nil {
		t.Error(err)
	}
	eventually(t, "there is room again", func() bool { _, ok := q.send(make([]byte, 1000)); return ok })
	for range queueBytes {
		if _, ok := q.send(make([]byte, 4)); !ok {
			break
		}
	}
	if _, ok := q.send(stun.MustBuild(stun.BindingSuccess).Raw); !ok {
		t.Error("a full queue has no room for an answer")
	}
	q.close()
	ours.Close()
	<-done
}

// streamPair is a connection, and its other end.
func streamPair(t *testing.T) (ours, his net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if his, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if ours, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { his.Close(); ours.Close() })
	return nowait.New(ours), his
}

// openQueue is a queue that its senders write to, and its client.
func openQueue(t *testing.T) (q *queue, his net.Conn) {
	t.Helper()
	ours, his := streamPair(t)
	q = newQueue(ours, false)
	q.open()
	return q, his
}

// TestSendsAtOnce: who sends to a client that takes it writes himself, and what the kernel
// does not take is written later, in its order.
func TestSendsAtOnce(t *testing.T) {
	q, his := openQueue(t)
	const size = 1000
	message := func(n int) []byte { return binary.BigEndian.AppendUint32(make([]byte, size-4), uint32(n)) }
	wantNext := func(n int) {
		t.Helper()
		got := make([]byte, size)
		his.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.ReadFull(his, got); err != nil || !bytes.Equal(got, message(n)) {
			t.Fatalf("message %d: %v, % x", n, err, got[size-4:])
		}
	}
	q.send(message(0)) // with nobody else to write it
	wantNext(0)
	sent := 1
	for ; sent < 100_000; sent++ {
		if _, ok := q.send(message(sent)); !ok {
			break
		}
	}
	if sent == 100_000 {
		t.Fatal("the queue has no bound")
	}
	done := make(chan struct{})
	go func() { defer close(done); q.run() }()
	for n := 1; n < sent; n++ {
		wantNext(n)
	}
	eventually(t, "all is written", func() bool { q.mu.Lock(); defer q.mu.Unlock(); return !q.busy })
	q.send(message(sent))
	wantNext(sent)
	q.close()
	q.conn.Close()
	<-done
}

// TestPutLeavesTogether: what was put leaves with push, or when it is enough, or with what
// somebody else sends.
func TestPutLeavesTogether(t *testing.T) {
	q, his := openQueue(t)
	got := make([]byte, queueBytes)
	waits := func(limit time.Duration) int {
		his.SetReadDeadline(time.Now().Add(limit))
		n, _ := his.Read(got)
		return n
	}
	q.put(make([]byte, 100))
	q.put(make([]byte, 101)) // and padding
	if n := waits(20 * time.Millisecond); n != 0 {
		t.Errorf("%d bytes left before they were pushed", n)
	}
	q.push()
	if n := waits(patience); n != 204 {
		t.Errorf("%d bytes left together, want 204", n)
	}
	q.put(make([]byte, 100))
	q.send(make([]byte, 20))
	if n := waits(patience); n != 120 {
		t.Errorf("%d bytes left together, want 120", n)
	}
	q.put(make([]byte, together))
	if n := waits(patience); n == 0 {
		t.Error("nothing leaves before it is pushed, however much it is")
	}
	q.conn.Close()
	for range 10 { // until the kernel knows
		q.send(make([]byte, 20))
	}
	if _, ok := q.send(make([]byte, 20)); ok {
		t.Error("a stream that is gone takes packets")
	}
}

// TestFinishWritesWhatWasPut: nothing that was taken is lost where a stream ends in order.
func TestFinishWritesWhatWasPut(t *testing.T) {
	q, his := openQueue(t)
	done := make(chan struct{})
	go func() { defer close(done); q.run() }()
	time.Sleep(10 * time.Millisecond) // it waits by now
	q.put(make([]byte, 100))
	q.finish()
	<-done
	q.conn.Close()
	if b, err := io.ReadAll(his); len(b) != 100 || err != nil {
		t.Errorf("%d bytes of 100 came, %v", len(b), err)
	}
}

// TestHangsUpAtOnce: whoever ends a stream waits for no client that does not read, not for
// a goodbye of TLS either, which may take five seconds.
func TestHangsUpAtOnce(t *testing.T) {
	certified := httptest.NewTLSServer(nil)
	certified.Close()
	ours, his := streamPair(t)
	go tls.Client(his, &tls.Config{InsecureSkipVerify: true}).Handshake()
	conn := tls.Server(ours, &tls.Config{Certificates: certified.TLS.Certificates})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	q := newQueue(conn, true)
	q.open()
	done := make(chan struct{})
	go func() { defer close(done); q.run() }()
	for ok := true; ok; {
		_, ok = q.send(make([]byte, 1000))
	}
	time.Sleep(50 * time.Millisecond) // run waits by now
	start := time.Now()
	q.hangUp()
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	<-done
}

// TestHalfClosed: a client that says no more still gets its answers, and its session ends.
func TestHalfClosed(t *testing.T) {
	s := startServer(t, nil)
	for range 50 {
		c := dial(t, s, "tcp")
		c.allocate()
		m := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
		c.write(m.Raw)
		if err := c.conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if c.answer(m.TransactionID) == nil {
			t.Fatal("no answer")
		}
	}
	eventually(t, "the sessions to end", func() bool { return len(s.Sessions()) == 0 })
}

// errorLog counts the errors that a server logs.
type errorLog struct {
	slog.Handler
	errors atomic.Int32
}

func (l *errorLog) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelError {
		l.errors.Add(1)
	}
	return nil
}

// TestEngineError: where the engine can't be asked for a session, its owner hears of it.
func TestEngineError(t *testing.T) {
	log := &errorLog{Handler: slog.NewTextHandler(io.Discard, nil)}
	s := runServer(t, nil, Options{Log: slog.New(log)})
	if err := s.sessions.engine.close(); err != nil {
		t.Fatal(err)
	}
	wantCode(t, dial(t, s, "udp").request(stun.MethodAllocate, requestedUDP), stun.CodeServerError)
	if log.errors.Load() != 1 {
		t.Error("it is not logged")
	}
}

package signaling

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"icebox/internal/nowait"
)

// TestCatchesUp: one that does not read for a while has the courier wait for
// nobody, gets everything in order once it reads, and goes on as before.
func TestCatchesUp(t *testing.T) {
	const (
		kernel   = 32 << 10 // what it takes, about; much less is slow
		messages = 100      // of 8 KB: less than the queue
	)
	for name, path := range map[string]string{"seed": "/", "room": "/ws/r"} {
		t.Run(name, func(t *testing.T) {
			s, url := serveBuffered(t, newServer(unlimited(), quiet(), defaultTuning()), kernel)
			join := func() *peer {
				p := dial(t, url+path)
				if path != "/" {
					p = welcomed(t, p).peer
				}
				return p
			}
			from, late, prompt := join(), join(), join()
			for _, p := range []*peer{late, prompt} {
				innermost(p).SetReadBuffer(kernel)
			}
			filler := strings.Repeat("x", 8000)
			say := func(i int) { from.send(fmt.Sprintf(`{"type":"count","n":%d,"x":"%s"}`, i, filler)) }
			hear := func(p *peer, i int) {
				for mark := fmt.Sprintf(`"n":%d,`, i); ; {
					_, text, err := p.ReadMessage()
					if err != nil {
						t.Fatalf("waiting for message %d: %v", i, err)
					}
					if strings.Contains(string(text), `"n":`) {
						if !strings.Contains(string(text), mark) || !strings.Contains(string(text), filler) {
							t.Fatalf("got %.60s..., want message %d", text, i)
						}
						return
					}
				}
			}
			for i := range messages {
				say(i)
				hear(prompt, i)
			}
			if n := s.queued.Load(); n < messages*8000/2 {
				t.Errorf("%d bytes wait for the one that did not read: it was none", n)
			}
			for i := range messages {
				hear(late, i)
			}
			var all sync.WaitGroup
			for _, p := range []*peer{late, prompt} {
				all.Go(func() {
					for i := range messages {
						hear(p, messages+i)
					}
				})
			}
			for i := range messages {
				say(messages + i)
			}
			all.Wait()
			waitFor(t, "the queues to be empty", func() bool { return s.queued.Load() == 0 })
		})
	}
}

// settled waits until n sockets have entered a room and nothing of that is left to do.
func settled(t *testing.T, r *seedRoom, n int) []*socket {
	t.Helper()
	var sockets []*socket
	waitFor(t, "the room to settle", func() bool {
		sockets = r.list()
		for _, s := range sockets {
			s.queue.mu.Lock()
			ready := s.queue.live && !s.queue.writing
			s.queue.mu.Unlock()
			if !ready {
				return false
			}
		}
		r.courier.mu.Lock()
		defer r.courier.mu.Unlock()
		return len(sockets) == n && !r.courier.running
	})
	return sockets
}

// TestCourierTakesTurns: who has much to get does not hold up the others.
func TestCourierTakesTurns(t *testing.T) {
	s, url := start(t, unlimited())
	a, b, from := dial(t, url), dial(t, url), dial(t, url)
	r := s.hall.seeds[""]
	sockets, c := settled(t, r, 3), &r.courier
	held := func() (first *socket) { // as a courier that is on its way and stands still
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running = true
		return c.first
	}
	held()
	filler := strings.Repeat("x", chunkSize/2)
	for i := range 4 {
		from.send(fmt.Sprint(i, filler))
	}
	waitFor(t, "everything to be queued", func() bool { return s.queued.Load() > 2*4*chunkSize/2 })
	if held() == nil {
		t.Fatal("nobody waits for the courier")
	}
	var turns []*socket
	var ch chunk
	for sock := c.next(); sock != nil; sock = c.next() {
		turns = append(turns, sock)
		c.serve(sock, &ch)
	}
	if len(turns) < 6 || turns[0] == turns[1] || turns[0] != turns[2] || turns[1] != turns[3] {
		t.Errorf("%d turns, of %v among %v", len(turns), turns, sockets)
	}
	for i := range 4 {
		a.expect(fmt.Sprint(i, filler))
		b.expect(fmt.Sprint(i, filler))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running || c.first != nil || c.last != nil {
		t.Error("it runs although nothing is left")
	}
}

// TestCutWhilePending: one that reads nothing is cut when a write has waited for
// tuning.write, and counted as too slow, though its queue is not full.
func TestCutWhilePending(t *testing.T) {
	tn := defaultTuning()
	tn.write = 500 * time.Millisecond
	begun := time.Now()
	s := stall(t, tn)
	waitFor(t, "it to be cut", func() bool { return s.gate.sockets() == 1 })
	if d := time.Since(begun); d < tn.write {
		t.Errorf("it was cut after %v, before %v were over", d, tn.write)
	}
	if n := refused(s, refuseTooSlow); n != 1 {
		t.Errorf("too-slow was counted %d times, want 1", n)
	}
}

// TestDeadlineIsLifted: a limit that was for one write is none for what TLS writes
// later on its own account.
func TestDeadlineIsLifted(t *testing.T) {
	tn := defaultTuning()
	tn.write = time.Second
	s, url := serveBuffered(t, newServer(unlimited(), quiet(), tn), 4096)
	from, late := dial(t, url), dial(t, url)
	innermost(late).SetReadBuffer(4096)
	text := strings.Repeat("x", 60000) // more than the courier takes, so that it is waited for
	from.send(text)
	late.expect(text)
	waitFor(t, "the writer to end", func() bool { return s.queued.Load() == 0 })
	time.Sleep(tn.write + 100*time.Millisecond)
	for _, sock := range s.hall.seeds[""].list() {
		if sock.queue.mu.Lock(); !sock.queue.writeBy.IsZero() {
			t.Error("a deadline is left")
		}
		sock.queue.mu.Unlock()
		if _, err := sock.wire.Conn.Write(nil); err != nil {
			t.Errorf("writing later: %v", err)
		}
	}
	from.send("again")
	late.expect("again")
}

// TestCutAtOnce: a socket is cut without waiting for a write that waits.
func TestCutAtOnce(t *testing.T) {
	s := stall(t, defaultTuning())
	var sock *socket
	waitFor(t, "a writer to wait", func() bool {
		for _, sock = range s.hall.seeds[""].list() {
			if sock.waitsToWrite() {
				return true
			}
		}
		return false
	})
	begun := time.Now()
	sock.cut()
	if d := time.Since(begun); d > 2*time.Second {
		t.Errorf("cutting it took %v", d)
	}
}

// stall starts a server with a peer that reads nothing, and sends it less than its
// queue holds and more than the kernel takes.
func stall(t *testing.T, tn tuning) *Server {
	t.Helper()
	s, url := serveBuffered(t, newServer(unlimited(), quiet(), tn), 4096)
	from, stalled := dial(t, url), dial(t, url)
	innermost(stalled).SetReadBuffer(4096)
	for range 60 {
		from.send(strings.Repeat("x", 10000))
	}
	return s
}

// waitsToWrite says whether the peer is being waited for.
func (s *socket) waitsToWrite() bool {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return s.queue.writing && !s.queue.writeBy.IsZero()
}

// say queues a message as a reader of the room does.
func (s *socket) say(t *testing.T, text string) {
	t.Helper()
	if !s.send(item{frame: newFrame(websocket.TextMessage, []byte(text))}, soon) {
		t.Fatalf("%q is refused", text)
	}
}

// stands says whether nobody is the courier, and who is the first that waits.
func (c *courier) stands() (bool, *socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.running, c.first
}

// TestReaderIsTheCourier: what a reader has queued leaves when it takes its turn, and
// not before.
func TestReaderIsTheCourier(t *testing.T) {
	s, url := start(t, unlimited())
	p := dial(t, url)
	r := s.hall.seeds[""]
	sock, c := settled(t, r, 1)[0], &r.courier
	sock.say(t, "one")
	sock.say(t, "two")
	if stands, first := c.stands(); !stands || first != sock {
		t.Errorf("nobody runs: %v; %p waits, want %p", stands, first, sock)
	}
	c.turn(s, readerShare)
	if stands, first := c.stands(); !stands || first != nil {
		t.Errorf("nobody runs: %v; %p waits, want none", stands, first)
	}
	p.expect("one")
	p.expect("two")
}

// TestReaderReadsOn: one that has served its share leaves the rest to a goroutine.
func TestReaderReadsOn(t *testing.T) {
	s, url := start(t, unlimited())
	peers := []*peer{dial(t, url), dial(t, url)}
	r := s.hall.seeds[""]
	sockets, c := settled(t, r, 2), &r.courier
	const frames = 4 * chunkFrames
	for i := range frames {
		for _, sock := range sockets {
			sock.say(t, fmt.Sprint(i))
		}
	}
	c.mu.Lock()
	c.running = true
	c.mu.Unlock()
	if home := c.walk(5); home {
		t.Error("5 of 8 turns were all")
	}
	c.mu.Lock()
	c.running = false
	c.mu.Unlock()
	c.turn(s, 1)
	for i := range frames {
		for _, p := range peers {
			p.expect(fmt.Sprint(i))
		}
	}
}

// TestStuckReader: should a reader not come so far as to take its turn, all that does
// not come from it leaves, and whoever goes is let go.
func TestStuckReader(t *testing.T) {
	for name, act := range map[string]func(s *Server, sock *socket, p *peer){
		"control": func(_ *Server, sock *socket, _ *peer) { sock.sendPong(newFrame(websocket.PongMessage, nil)) },
		"its own ping": func(_ *Server, _ *socket, p *peer) {
			p.WriteControl(websocket.PingMessage, nil, time.Now().Add(patience))
		},
		"message": func(_ *Server, _ *socket, p *peer) { p.send("of another") },
		"shut":    func(_ *Server, sock *socket, _ *peer) { sock.shut(nil, patience) },
	} {
		t.Run(name, func(t *testing.T) {
			s, url := start(t, unlimited())
			p := dial(t, url)
			sock := settled(t, s.hall.seeds[""], 1)[0]
			other := dial(t, url)
			settled(t, s.hall.seeds[""], 2)
			sock.say(t, "of a stuck reader")
			act(s, sock, other)
			if name != "shut" {
				p.expect("of a stuck reader")
			}
			waitFor(t, "nobody to wait", func() bool { stands, first := sock.courier.stands(); return stands && first == nil })
		})
	}
}

// panics is a connection that can't be written to.
type panics struct{ net.Conn }

func (panics) Write([]byte) (int, error)   { panic("written to") }
func (panics) SetDeadline(time.Time) error { return nil }
func (panics) Close() error                { return nil }

// TestCourierPanics: it ends the one that is being written to, and nobody else.
func TestCourierPanics(t *testing.T) {
	s, url := start(t, unlimited())
	p := dial(t, url)
	r := s.hall.seeds[""]
	sock, c := settled(t, r, 1)[0], &r.courier
	bad := &socket{server: s, courier: c, bold: new(nowait.Conn), wire: wire{Conn: panics{}}, queue: queue{live: true}}
	bad.say(t, "none")
	sock.say(t, "one")
	c.turn(s, readerShare)
	p.expect("one")
	bad.writer.Wait()
	alone := &socket{server: s, wire: bad.wire, queue: queue{live: true}} // without a courier
	alone.say(t, "none")
	alone.writer.Wait()
	if !bad.isClosing() || !alone.isClosing() {
		t.Error("it goes on")
	}
}

// TestLastWordLeaves: what comes together with the end of its sender.
func TestLastWordLeaves(t *testing.T) {
	_, url := start(t, unlimited())
	to := dial(t, url)
	for i := range 40 {
		from, text := dial(t, url), fmt.Sprint(i)
		word := clientFrame(0x81, uint64(len(text)), text)
		if i%2 == 0 {
			from.raw(append(word, clientFrame(0x88, 0, "")...))
		} else {
			from.raw(word)
			from.NetConn().Close()
		}
		to.expect(text)
	}
}

// TestNotHeldBack: a message does not wait for a large one behind it, however fast
// that comes.
func TestNotHeldBack(t *testing.T) {
	s := newServer(unlimited(), quiet(), defaultTuning())
	sock := &socket{server: s, bold: new(nowait.Conn), courier: new(courier), settings: s.settings.Load()}
	want := func(taken int) {
		t.Helper()
		if sock.taken != taken {
			t.Errorf("%d messages wait, want %d", sock.taken, taken)
		}
	}
	for range 2 {
		sock.gather()
		sock.arrived(chunkSize)
		want(1)
		sock.arrived(1)
		want(0)
		sock.arrived(chunkSize) // behind none
	}
	for range chunkFrames {
		sock.gather()
	}
	want(chunkFrames)
	sock.gather()
	want(1)
}

// TestOwnSocketFails: a courier whose own socket can't be written to any more closes that,
// from within its read, and is gone; the others go on.
func TestOwnSocketFails(t *testing.T) {
	s, url := start(t, unlimited())
	failing, other := dial(t, url), dial(t, url)
	for _, sock := range settled(t, s.hall.seeds[""], 2) {
		if sock.wire.Conn.RemoteAddr().String() == failing.LocalAddr().String() {
			nowait.Innermost(sock.wire.Conn).(*net.TCPConn).CloseWrite() // as after a reset
			sock.say(t, "to itself")
		}
	}
	failing.send("to the other")
	other.expect("to the other")
	waitFor(t, "the socket to be gone", func() bool { return s.gate.sockets() == 1 })
}

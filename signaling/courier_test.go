package signaling

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

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

// TestReaderIsTheCourier: while a reader of the room is at work nobody else sets out,
// and when it would wait, what is queued has left.
func TestReaderIsTheCourier(t *testing.T) {
	s, url := start(t, unlimited())
	p := dial(t, url)
	r := s.hall.seeds[""]
	sock, c := settled(t, r, 1)[0], &r.courier
	c.take()
	sock.send(item{frame: newFrame(1, []byte("one"))})
	sock.send(item{frame: newFrame(1, []byte("two"))})
	c.mu.Lock()
	if c.running || c.first != sock {
		t.Errorf("a courier runs: %v, waiting: %v", c.running, c.first)
	}
	c.mu.Unlock()
	c.turn(s)
	c.mu.Lock()
	if c.running || c.first != nil || c.busy != 0 {
		t.Errorf("a courier runs: %v, waiting: %v, busy: %d", c.running, c.first, c.busy)
	}
	c.mu.Unlock()
	p.expect("one")
	p.expect("two")
}

// TestReaderReadsOn: one that has served many has a goroutine go on.
func TestReaderReadsOn(t *testing.T) {
	s, url := start(t, unlimited())
	peers := []*peer{dial(t, url), dial(t, url)}
	r := s.hall.seeds[""]
	sockets, c := settled(t, r, 2), &r.courier
	c.take()
	const each = (readerShare/2 + 4) * chunkFrames // more turns than one reader gives
	for i := range each {
		for _, sock := range sockets {
			if !sock.send(item{frame: newFrame(1, fmt.Append(nil, i))}) {
				t.Fatalf("frame %d is refused", i)
			}
		}
	}
	c.turn(s)
	for i := range each {
		for _, p := range peers {
			p.expect(fmt.Sprint(i))
		}
	}
}

// TestReaderPanics: the room goes on when a reader that is the courier does not.
func TestReaderPanics(t *testing.T) {
	s, url := start(t, unlimited())
	p := dial(t, url)
	r := s.hall.seeds[""]
	sock, c := settled(t, r, 1)[0], &r.courier
	c.take()
	c.add(&socket{server: s, queue: queue{items: []item{{}}}}) // an item without a frame
	sock.send(item{frame: newFrame(1, []byte("one"))})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("an item without a frame was written")
			}
		}()
		c.turn(s)
	}()
	p.expect("one")
}

// TestLastWordLeaves: what comes together with the end of its sender.
func TestLastWordLeaves(t *testing.T) {
	_, url := start(t, unlimited())
	from, to := dial(t, url), dial(t, url)
	for _, text := range []string{"one", "two"} {
		from.raw(append(clientFrame(0x81, uint64(len(text)), text), clientFrame(0x88, 0, "")...))
		to.expect(text)
		from = dial(t, url)
	}
	to.expectNothing(from)
}

// TestNotHeldBack: a message does not wait for a large one behind it, however fast
// that comes.
func TestNotHeldBack(t *testing.T) {
	s := newServer(unlimited(), quiet(), defaultTuning())
	sock := &socket{server: s, bold: new(nowait.Conn), courier: new(courier), settings: s.settings.Load()}
	sock.gather()
	sock.arrived(chunkSize)
	if sock.courier.busy != 1 {
		t.Errorf("busy is %d after %d bytes, want 1", sock.courier.busy, chunkSize)
	}
	sock.arrived(1)
	if sock.courier.busy != 0 {
		t.Errorf("the reader reads on")
	}
	for range chunkFrames {
		sock.gather()
	}
	if sock.taken != chunkFrames {
		t.Errorf("%d messages are gathered, want %d", sock.taken, chunkFrames)
	}
	sock.gather()
	if sock.taken != 1 || sock.courier.busy != 1 {
		t.Errorf("%d messages are gathered, %d readers busy, want one each", sock.taken, sock.courier.busy)
	}
}

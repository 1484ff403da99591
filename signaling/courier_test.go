package signaling

import (
	"fmt"
	"strings"
	"sync"
	"testing"
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

// TestCourierTakesTurns: who has much to get does not hold up the others, and the
// courier ends when nothing is left.
func TestCourierTakesTurns(t *testing.T) {
	s, url := start(t, unlimited())
	a, b := dial(t, url+"/ws/r"), dial(t, url+"/ws/r")
	welcomed(t, a)
	welcomed(t, b)
	waitFor(t, "the courier to end", func() bool {
		r := onlyRoom(s)
		r.courier.mu.Lock()
		defer r.courier.mu.Unlock()
		return !r.courier.running && r.courier.first == nil && r.courier.last == nil
	})
	// Neither socket is one that reads: what is in their queues stays there.
	c := new(courier)
	sockets := []*socket{newSocket(s, s.settings.Load(), pass{}, &door{seed: true}), newSocket(s, s.settings.Load(), pass{}, &door{seed: true})}
	c.running = true // nobody runs it but the test
	for range 2 {
		for _, sock := range sockets {
			c.add(sock)
			if got := c.next(); got != sock {
				t.Fatalf("it was the turn of %p, want %p", got, sock)
			}
		}
	}
	c.add(sockets[0])
	c.add(sockets[1])
	if first, second, none := c.next(), c.next(), c.next(); first != sockets[0] || second != sockets[1] || none != nil {
		t.Errorf("turns of %p, %p, %p", first, second, none)
	}
	if c.running {
		t.Error("it runs although nothing is left")
	}
}

// onlyRoom is the one room that there is.
func onlyRoom(s *Server) *room {
	s.hall.mu.Lock()
	defer s.hall.mu.Unlock()
	for _, r := range s.hall.rooms {
		return r
	}
	return nil
}

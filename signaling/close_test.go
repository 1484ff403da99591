package signaling

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestClose(t *testing.T) {
	s, url := start(t, testConfig())
	in := []*peer{dial(t, url), dial(t, url), dial(t, url+"/seed/a")}
	done := make(chan error)
	go func() { done <- s.Close(context.Background()) }()
	for _, p := range in {
		p.expectClose(websocket.CloseGoingAway)
	}
	if err := <-done; err != nil {
		t.Errorf("closing: %v", err)
	}
	checkEmpty(t, s)
	if code := status(t, url, nil); code != http.StatusServiceUnavailable {
		t.Errorf("after the close: %d", code)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

// TestCloseCuts: a peer that does not answer is cut when the context ends.
func TestCloseCuts(t *testing.T) {
	tn := defaultTuning()
	tn.linger = time.Hour
	s, url := serve(t, newServer(testConfig(), quiet(), tn))
	dial(t, url)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("closing: %v", err)
	}
	checkEmpty(t, s)
}

// TestCloseInAStorm: whatever is being connected when Close is called, nothing is
// left when it returns.
func TestCloseInAStorm(t *testing.T) {
	s, url := start(t, unlimited())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				c, _, err := dialer().Dial(url, nil)
				if err != nil {
					return // closed
				}
				c.WriteMessage(websocket.TextMessage, []byte("x"))
				defer c.Close()
			}
		})
	}
	waitFor(t, "some sockets", func() bool { return s.gate.sockets() > 20 })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Errorf("closing: %v", err)
	}
	checkEmpty(t, s)
	wg.Wait()
}

// TestJoinAfterClose: an upgrade that was under way when the hall was closed.
func TestJoinAfterClose(t *testing.T) {
	s := New(testConfig(), quiet())
	sock := newSocket(s, s.settings.Load(), pass{}, &door{seed: true})
	s.hall.close()
	if no := s.hall.join(sock, "", &s.settings); no != refuseClosing {
		t.Errorf("joining gave %v", no)
	}
	if s.hall.open(&s.wg) {
		t.Error("a closed hall is open")
	}
	s.hall.leave(sock)
	checkEmpty(t, s)
}

// TestJoinAfterUpdate: one that was under way to / when it was closed.
func TestJoinAfterUpdate(t *testing.T) {
	s := New(testConfig(), quiet())
	sock := newSocket(s, s.settings.Load(), pass{}, &door{seed: true})
	cfg := testConfig()
	cfg.Signaling.SeedRoom = false
	s.Update(cfg)
	if no := s.hall.join(sock, "", &s.settings); no != refuseSeedOff {
		t.Errorf("joining gave %v", no)
	}
	s.hall.leave(sock)
	checkEmpty(t, s)
}

// TestStorm: two thousand sockets come to rooms and to the seed's relay, talk and
// go, in every way there is to go.
func TestStorm(t *testing.T) {
	const sockets, workers = 2000, 40
	cfg := unlimited()
	cfg.Signaling.MaxMessage, cfg.Signaling.MaxPeers, cfg.Signaling.Resume = 1000, 1000, 20*time.Millisecond
	s, url := start(t, cfg)
	dial(t, url).Close()
	waitFor(t, "the first to be gone", func() bool { return len(s.hall.all()) == 0 })
	goroutines, files := runtime.NumGoroutine(), openFiles(t)

	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range sockets / workers {
				path := []string{"seed", "ws"}[w%2]
				if err := visit(fmt.Sprintf("%s/%s/room%d", url, path, (w+i)%7), i); err != nil {
					t.Errorf("socket %d of worker %d: %v", i, w, err)
				}
			}
		})
	}
	wg.Wait()
	waitFor(t, "all to be gone", func() bool { return len(s.hall.all()) == 0 && s.gate.sockets() == 0 && s.hall.count() == 0 })
	checkEmpty(t, s)
	waitFor(t, "the goroutines to end", func() bool { return runtime.NumGoroutine() <= goroutines })
	waitFor(t, "the descriptors to be closed", func() bool { return openFiles(t) <= files })
	if n := s.stats.joined.Load(); n != sockets+1 {
		t.Errorf("%d sockets joined, want %d", n, sockets+1)
	}
}

// visit connects, sends a few messages, and goes in the i-th of five ways.
func visit(url string, i int) error {
	c, _, err := dialer().Dial(url, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	for range 5 {
		if err := c.WriteMessage(websocket.TextMessage, []byte(`{"type":"join"}`)); err != nil {
			return err
		}
	}
	switch i % 5 {
	case 0:
		return c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), farFuture())
	case 1:
		return innermost(&peer{Conn: c}).SetLinger(0)
	case 2:
		return c.WriteMessage(websocket.BinaryMessage, []byte{1})
	case 3:
		_, err = c.NetConn().Write([]byte(strings.Repeat("\xff", 100)))
	case 4:
		_, err = c.NetConn().Write(clientFrame(0x81, 1<<40, "x"))
	}
	return err
}

// openFiles is how many descriptors this process has, 0 where that can't be seen.
func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

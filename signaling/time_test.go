package signaling

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// pipeWriter is the least that can be upgraded: one end of a pipe.
type pipeWriter struct {
	http.ResponseWriter
	conn net.Conn
}

func (w *pipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	rw := bufio.NewReadWriter(bufio.NewReader(w.conn), bufio.NewWriter(w.conn))
	return w.conn, rw, nil
}

// pipe connects a peer to / of s without a network: nothing is buffered between
// the two, and their time is that of the test.
func pipe(t *testing.T, s *Server) *peer {
	t.Helper()
	return pipeTo(t, s, "/")
}

// pipeTo is pipe to any path.
func pipeTo(t *testing.T, s *Server, path string) *peer {
	t.Helper()
	near, far := net.Pipe()
	go func() {
		r, err := http.ReadRequest(bufio.NewReader(far))
		if err != nil {
			t.Errorf("reading the handshake: %v", err)
			return
		}
		handler(s).ServeHTTP(&pipeWriter{conn: far}, r)
	}()
	d := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return near, nil }}
	c, _, err := d.Dial("ws://box"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &peer{t, c}
}

// inTime runs test in a bubble with a server, and checks that it ends empty.
func inTime(t *testing.T, test func(t *testing.T, s *Server)) {
	synctest.Test(t, func(t *testing.T) {
		s := New(unlimited(), quiet())
		test(t, s)
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
		checkEmpty(t, s)
	})
}

// TestSilentPeer: who neither speaks nor answers pings is gone after a minute.
func TestSilentPeer(t *testing.T) {
	inTime(t, func(t *testing.T, s *Server) {
		p := pipe(t, s)
		begin, pings := time.Now(), 0
		p.SetPingHandler(func(string) error { pings++; return nil })
		if _, _, err := p.ReadMessage(); err == nil {
			t.Fatal("a message from nobody")
		}
		if age := time.Since(begin); age != s.tuning.idle {
			t.Errorf("gone after %v, want %v", age, s.tuning.idle)
		}
		if pings != 2 {
			t.Errorf("pinged %d times, want 2", pings)
		}
		synctest.Wait()
		if n := refused(s, refuseSilent); n != 1 {
			t.Errorf("silent was counted %d times", n)
		}
		checkEmpty(t, s)
	})
}

// TestPongKeepsAlive: an idle peer that answers stays for as long as it likes.
func TestPongKeepsAlive(t *testing.T) {
	inTime(t, func(t *testing.T, s *Server) {
		p := pipe(t, s)
		ended := make(chan error, 1)
		go func() {
			_, _, err := p.ReadMessage() // answers pings
			ended <- err
		}()
		time.Sleep(24 * time.Hour)
		select {
		case err := <-ended:
			t.Fatalf("gone: %v", err)
		default:
		}
		p.Close()
		<-ended
		synctest.Wait()
		checkEmpty(t, s)
	})
}

// TestStalledWrite: a peer that takes not one byte is cut when the write is over
// time, and what waited for it is forgotten.
func TestStalledWrite(t *testing.T) {
	inTime(t, func(t *testing.T, s *Server) {
		from, stalled := pipe(t, s), pipe(t, s)
		defer stalled.Close()
		from.ignore()
		from.send("one")
		from.send("two")
		time.Sleep(s.tuning.write - time.Millisecond)
		synctest.Wait()
		if n := s.gate.sockets(); n != 2 {
			t.Fatalf("%d sockets before the deadline, want 2", n)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if n := s.gate.sockets(); n != 1 {
			t.Errorf("%d sockets after the deadline, want 1", n)
		}
		if n := refused(s, refuseTooSlow); n != 1 {
			t.Errorf("too-slow was counted %d times", n)
		}
		if n := s.queued.Load(); n != 0 {
			t.Errorf("%d bytes are still queued", n)
		}
	})
}

// TestFullQueue: by count and by bytes, and then 3008 for whom begins to read
// again in time.
func TestFullQueue(t *testing.T) {
	table := []struct {
		name string
		size int
		fit  int // besides the message that is being written
	}{
		{"count", 1, 8191},
		{"bytes", 65000, 15},
	}
	for _, row := range table {
		t.Run(row.name, func(t *testing.T) {
			inTime(t, func(t *testing.T, s *Server) {
				from, slow := pipe(t, s), pipe(t, s)
				from.ignore()
				text := strings.Repeat("x", row.size)
				for range row.fit + 1 {
					from.send(text)
				}
				synctest.Wait()
				if n := refused(s, refuseTooSlow); n != 0 {
					t.Fatal("closed too early")
				}
				from.send(text)
				synctest.Wait()
				if n := refused(s, refuseTooSlow); n != 1 {
					t.Fatalf("too-slow was counted %d times, want 1", n)
				}
				slow.expectClose(closeTooSlow)
				synctest.Wait()
				if n := s.gate.sockets(); n != 1 {
					t.Errorf("%d sockets are left, want 1", n)
				}
			})
		})
	}
}

// TestUnansweredClose: the connection is cut though the peer does not answer the
// close frame.
func TestUnansweredClose(t *testing.T) {
	inTime(t, func(t *testing.T, s *Server) {
		p := pipe(t, s)
		p.SetCloseHandler(func(int, string) error { return nil })
		begin := time.Now()
		go p.expectClose(websocket.CloseGoingAway)
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != s.tuning.linger {
			t.Errorf("closing took %v, want %v", took, s.tuning.linger)
		}
	})
}

// TestPingFloodIsAnsweredOnce: pongs that nobody reads do not pile up.
func TestPingFloodIsAnsweredOnce(t *testing.T) {
	inTime(t, func(t *testing.T, s *Server) {
		p := pipe(t, s)
		for _, data := range []string{"a", "b", "c", "d"} {
			if err := p.WriteControl(websocket.PingMessage, []byte(data), farFuture()); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		var pongs []string
		p.SetPongHandler(func(data string) error { pongs = append(pongs, data); return nil })
		go func() {
			time.Sleep(time.Second)
			p.raw(clientFrame(0x88, 0, ""))
		}()
		p.expectClose(websocket.CloseNoStatusReceived)
		if n := len(pongs); n == 0 || n > 2 || pongs[n-1] != "d" {
			t.Errorf("pongs %q, want the last, and the one that was under way", pongs)
		}
	})
}

// TestPanicEndsOneSocket: the others go on.
func TestPanicEndsOneSocket(t *testing.T) {
	inTime(t, func(t *testing.T, s *Server) {
		bad := pipe(t, s)
		synctest.Wait()
		s.hall.all()[0].ws.SetPingHandler(func(string) error { panic("a fault in the parser") })
		a, b := pipe(t, s), pipe(t, s)
		bad.raw(clientFrame(0x89, 0, ""))
		if _, _, err := bad.ReadMessage(); err == nil {
			t.Error("the socket goes on")
		}
		a.send("still here")
		b.expect("still here")
	})
}

package signaling

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"icebox/config"
)

// testConfig has the defaults of the configuration, but for the caps that a
// test on one address would run into.
func testConfig() *config.Config {
	return &config.Config{Signaling: config.Signaling{
		Origins:               []string{"*"},
		SeedRoom:              true,
		MaxMessage:            65536,
		MaxConnections:        10000,
		ConnectionsPerAddress: 10000,
		Messages:              config.Rate{Rate: 50, Burst: 200},
	}}
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// serve puts s behind a TLS server and returns its wss URL. At the end s is
// closed, and must be empty then.
func serve(t testing.TB, s *Server) (*Server, string) {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		room := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/seed/"), "/")
		s.ServeSeed(w, r, room)
	}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), 0)
	srv.StartTLS()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("closing: %v", err)
		}
		srv.Close()
		checkEmpty(t, s)
	})
	return s, "wss" + strings.TrimPrefix(srv.URL, "https")
}

// checkEmpty fails when a server without sockets still holds something.
func checkEmpty(t testing.TB, s *Server) {
	t.Helper()
	s.hall.mu.Lock()
	defer s.hall.mu.Unlock()
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	if len(s.hall.rooms) != 0 || len(s.hall.sockets) != 0 {
		t.Errorf("%d rooms and %d sockets are left", len(s.hall.rooms), len(s.hall.sockets))
	}
	if s.gate.total != 0 || len(s.gate.byAddress) != 0 || s.gate.refusing != 0 {
		t.Errorf("the gate still counts %d, %v, %d", s.gate.total, s.gate.byAddress, s.gate.refusing)
	}
	if n := s.queued.Load(); n != 0 {
		t.Errorf("%d bytes are still counted as queued", n)
	}
}

// waitFor waits up to ten seconds for a condition that other goroutines bring
// about.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// baseline is the least that a broadcast can be: see BenchmarkBaseline.
type baseline struct {
	mu    sync.Mutex // guards conns
	conns []*websocket.Conn
}

func (bl *baseline) serve(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	c, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	bl.mu.Lock()
	bl.conns = append(bl.conns, c)
	bl.mu.Unlock()
	for {
		_, text, err := c.ReadMessage()
		if err != nil {
			return
		}
		f := newFrame(websocket.TextMessage, text)
		bl.mu.Lock()
		for _, other := range bl.conns {
			if other != c {
				other.NetConn().Write(f.wire)
			}
		}
		bl.mu.Unlock()
	}
}

var _ = url.Parse

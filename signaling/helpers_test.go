package signaling

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"icebox/config"
	"icebox/internal/nowait"
)

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

// testConfig has the defaults of the configuration, but for the cap that a test
// on one address would run into.
func testConfig() *config.Config {
	return &config.Config{Signaling: config.Signaling{
		Origins:               []string{"*"},
		SeedRoom:              true,
		MaxMessage:            65536,
		MaxConnections:        10000,
		ConnectionsPerAddress: 10000,
		Messages:              config.Rate{Rate: 50, Burst: 200},
		MaxPeers:              16,
		Resume:                30 * time.Second,
		Access:                "open",
	}}
}

// unlimited is testConfig without a rate.
func unlimited() *config.Config {
	cfg := testConfig()
	cfg.Signaling.Messages = config.Rate{Rate: 1e9, Burst: 1e9}
	return cfg
}

func quiet() Options { return Options{Log: slog.New(slog.DiscardHandler)} }

// handler puts /, /seed/NAME and /ws/ROOM on s, as the web package does.
func handler(s *Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if room, ok := strings.CutPrefix(r.URL.Path, "/ws/"); ok {
			s.ServeRoom(w, r, room)
			return
		}
		s.ServeSeed(w, r, strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/seed/"), "/"))
	})
}

// start serves a new Server over TLS until the test ends, and then checks that
// nothing of it is left.
func start(t testing.TB, cfg *config.Config) (*Server, string) {
	t.Helper()
	return serve(t, newServer(cfg, quiet(), defaultTuning()))
}

func serve(t testing.TB, s *Server) (*Server, string) {
	t.Helper()
	return serveBuffered(t, s, 0)
}

// serveBuffered is serve with a bound of what the kernel takes for a peer.
func serveBuffered(t testing.TB, s *Server, buffer int) (*Server, string) {
	t.Helper()
	before := runtime.NumGoroutine()
	srv := httptest.NewUnstartedServer(handler(s))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	srv.Listener = nowaitListener{srv.Listener, buffer}
	srv.StartTLS()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("closing: %v", err)
		}
		checkEmpty(t, s)
		srv.Close()
		waitFor(t, "the goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
	})
	return s, "wss" + strings.TrimPrefix(srv.URL, "https")
}

// nowaitListener makes connections as the web package does.
type nowaitListener struct {
	net.Listener
	buffer int // bytes that the kernel takes for a peer that does not read; 0: as many as it likes
}

func (l nowaitListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if l.buffer > 0 {
		c.(*net.TCPConn).SetWriteBuffer(l.buffer)
	}
	return nowait.New(c), nil
}

// checkEmpty fails when a server without sockets still holds something.
func checkEmpty(t testing.TB, s *Server) {
	t.Helper()
	s.hall.mu.Lock()
	defer s.hall.mu.Unlock()
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	if len(s.hall.rooms) != 0 || len(s.hall.seeds) != 0 || len(s.hall.sockets) != 0 {
		t.Errorf("%d rooms, %d of the seed and %d sockets are left", len(s.hall.rooms), len(s.hall.seeds), len(s.hall.sockets))
	}
	if n := len(s.roster.ids); n != 0 {
		t.Errorf("%d ids are left", n)
	}
	if n := s.kept.Load(); n != 0 {
		t.Errorf("%d bytes are still kept", n)
	}
	if s.gate.total != 0 || len(s.gate.byAddress) != 0 || len(s.gate.lost) != 0 || s.gate.refusing != 0 {
		t.Errorf("the gate still counts %d, %v, %v lost, %d", s.gate.total, s.gate.byAddress, s.gate.lost, s.gate.refusing)
	}
	if n := s.queued.Load(); n != 0 {
		t.Errorf("%d bytes still count as queued", n)
	}
}

// waitFor waits for a condition that other goroutines bring about.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// peer is a client. Its methods fail the test.
type peer struct {
	t testing.TB
	*websocket.Conn
}

// sessions spares the tests most RSA signatures.
var sessions = tls.NewLRUClientSessionCache(0)

func dialer() *websocket.Dialer {
	return &websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ClientSessionCache: sessions}}
}

func dial(t testing.TB, url string) *peer {
	t.Helper()
	c, _, err := dialer().Dial(url, nil)
	if err != nil {
		t.Fatalf("dialing %s: %v", url, err)
	}
	t.Cleanup(func() { c.Close() })
	return &peer{t, c}
}

// status is the HTTP status that an upgrade is refused with.
func status(t testing.TB, url string, h http.Header) int {
	t.Helper()
	c, resp, err := dialer().Dial(url, h)
	if err == nil {
		c.Close()
		return http.StatusSwitchingProtocols
	}
	if resp == nil {
		t.Fatalf("dialing %s: %v", url, err)
	}
	return resp.StatusCode
}

func (p *peer) send(text string) {
	p.t.Helper()
	if err := p.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		p.t.Fatalf("sending: %v", err)
	}
}

// raw writes bytes as they are.
func (p *peer) raw(b []byte) {
	p.t.Helper()
	if _, err := p.NetConn().Write(b); err != nil {
		p.t.Fatalf("writing: %v", err)
	}
}

// expect fails unless the next message is text.
func (p *peer) expect(text string) {
	p.t.Helper()
	kind, got, err := p.read()
	if err != nil || kind != websocket.TextMessage || string(got) != text {
		p.t.Fatalf("got kind %d, %.80q, %v; want text %.80q", kind, got, err, text)
	}
}

// expectClose fails unless the server closes with code, whatever comes before.
func (p *peer) expectClose(code int) {
	p.t.Helper()
	for {
		_, _, err := p.read()
		if err == nil {
			continue
		}
		var closed *websocket.CloseError
		if !errors.As(err, &closed) || closed.Code != code {
			p.t.Fatalf("the end was %v; want close %d", err, code)
		}
		return
	}
}

// expectNothing fails when there was a message for p before one that from sends
// now: frames keep their order.
func (p *peer) expectNothing(from *peer) {
	p.t.Helper()
	from.send("that was all")
	p.expect("that was all")
}

func (p *peer) read() (int, []byte, error) {
	p.SetReadDeadline(time.Now().Add(patience))
	return p.ReadMessage()
}

// ignore reads until the end, so that pings are answered.
func (p *peer) ignore() {
	p.SetReadDeadline(time.Time{})
	go func() {
		for {
			if _, _, err := p.ReadMessage(); err != nil {
				return
			}
		}
	}()
}

// clientFrame is a masked frame with any first byte that claims to have size
// bytes, followed by payload.
func clientFrame(first byte, size uint64, payload string) []byte {
	b := []byte{first}
	switch {
	case size <= 125:
		b = append(b, 0x80|byte(size))
	case size <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(size))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), size)
	}
	b = append(b, 0, 0, 0, 0) // a mask that changes nothing
	return append(b, payload...)
}

// refused is how often s has counted a reason.
func refused(s *Server, no *refusal) uint64 { return s.stats.refusals[no.reason].Load() }

// withICE makes iceServers that say for whom they were made, good for an hour
// where they have TURN.
func withICE() Options {
	opt := quiet()
	opt.ICE = func(host, id string, relay bool) (json.RawMessage, time.Duration) {
		ttl := time.Duration(0)
		if relay {
			ttl = time.Hour
		}
		return json.RawMessage(fmt.Sprintf(`[{"id":%q,"relay":%v,"host":%v}]`, id, relay, host != "")), ttl
	}
	return opt
}

package web

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"icebox/config"
)

// testLog shows the log of the code under test where the test fails.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// testConfig is a configuration of the web package alone.
func testConfig() *config.Config {
	return &config.Config{
		TURN: config.TURN{
			Listen: []config.Listener{
				{Network: "udp", Address: ":3478"},
				{Network: "tcp", Address: ":3478"},
			},
			CredentialTTL: 12 * time.Hour,
		},
		Signaling: config.Signaling{
			Listen: "127.0.0.1:0", Access: "invite", SeedRoom: true,
			MaxConnections: 1000, ConnectionsPerAddress: 1000,
		},
		TLS:   config.TLS{Source: "self-signed"},
		Admin: config.Admin{Listen: "127.0.0.1:0"},
	}
}

// box is a running Server with a certificate of its own.
type box struct {
	*Server
	t    *testing.T
	stop func()
}

// startBox runs a Server until the test ends. prepare, which can be nil, changes
// what it is started with.
func startBox(t *testing.T, prepare func(*config.Config, *Options)) *box {
	t.Helper()
	cfg := testConfig()
	opt := Options{
		Log:       testLog(t),
		Signaling: &relay{},
		Users:     users{"admin": "123456", "用户": "пароль:☃"},
		TLS:       newCertificate(t),
		Metrics:   prometheus.NewRegistry(),
	}
	if prepare != nil {
		prepare(cfg, &opt)
	}
	s, err := New(cfg, opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return &box{s, t, stop}
}

// client trusts any certificate, follows no redirect and keeps no connection.
func (b *box) client() *http.Client {
	return &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask sends one request to the signaling port, with headers "Name: value", and
// returns the answer and its body.
func (b *box) ask(method, path string, headers ...string) (*http.Response, string) {
	b.t.Helper()
	return b.askAt("https://"+b.Addr().String(), method, path, headers...)
}

func (b *box) askAt(base, method, path string, headers ...string) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequest(method, base+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.send(r, headers...)
}

// send sends r with these headers.
func (b *box) send(r *http.Request, headers ...string) (*http.Response, string) {
	b.t.Helper()
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	res, err := b.client().Do(r)
	if err != nil {
		b.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res, string(body)
}

// dial opens a bare TCP connection to the signaling port.
func (b *box) dial() net.Conn {
	b.t.Helper()
	c, err := net.Dial("tcp", b.Addr().String())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	return c
}

// say writes text to c and reads one HTTP answer.
func (b *box) say(c net.Conn, text string) *http.Response {
	b.t.Helper()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		b.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return res
}

// users are static users by name.
type users map[string]string

func (u users) Authenticate(user, pass string) bool { p, ok := u[user]; return ok && p == pass }

func (u users) Mint(name string, ttl time.Duration) (string, string, bool) {
	_, ok := u[name]
	return "1:user/" + name, "minted", ok
}

func (u users) MintPeer(id string, ttl time.Duration) (string, string) {
	return "1:peer/" + id, "minted"
}

// relay sends each message to the other sockets of its room.
type relay struct {
	mu    sync.Mutex // guards rooms and writes
	rooms map[string]map[*websocket.Conn]bool
}

func (s *relay) ServeSeed(w http.ResponseWriter, r *http.Request, room string) {
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	c, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	s.mu.Lock()
	if s.rooms == nil {
		s.rooms = make(map[string]map[*websocket.Conn]bool)
	}
	if s.rooms[room] == nil {
		s.rooms[room] = make(map[*websocket.Conn]bool)
	}
	s.rooms[room][c] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.rooms[room], c)
		c.Close()
	}()
	for {
		kind, text, err := c.ReadMessage()
		if err != nil {
			return
		}
		s.mu.Lock()
		for other := range s.rooms[room] {
			if other != c {
				other.WriteMessage(kind, text)
			}
		}
		s.mu.Unlock()
	}
}

// ServeRoom takes rooms of /ws for those of the same name behind "ws ".
func (s *relay) ServeRoom(w http.ResponseWriter, r *http.Request, room string) {
	s.ServeSeed(w, r, "ws "+room)
}

func (s *relay) Invite(room string, ttl time.Duration) string {
	return fmt.Sprintf("invite-%s-%v", room, ttl)
}

// certificate is a self-signed one.
type certificate struct {
	cert    tls.Certificate
	off     bool
	trusted bool
}

func newCertificate(t testing.TB) *certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &certificate{cert: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
}

func (c *certificate) Enabled() bool { return !c.off }
func (c *certificate) Trusted() bool { return c.trusted }
func (c *certificate) TLSConfig(protocols ...string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.cert}, NextProtos: protocols}
}

package web

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"icebox/config"
	"icebox/internal/nowait"
)

func TestPlainHTTPOnTheTLSPort(t *testing.T) {
	b := startBox(t, nil)
	for _, c := range []struct {
		request  string
		status   int
		location string
	}{
		{"GET /1cs1cs?role=send HTTP/1.1\r\nHost: home.example:3002\r\n\r\n", 308, "https://home.example:3002/1cs1cs?role=send"},
		{"HEAD / HTTP/1.1\r\nHost: [2001:db8::1]:3002\r\n\r\n", 308, "https://[2001:db8::1]:3002/"},
		{"POST /api/ice HTTP/1.1\r\nHost: home.example\r\nContent-Length: 0\r\n\r\n", 400, ""},
		{"GET / HTTP/1.1\r\nHost: evil,example\r\n\r\n", 400, ""},
		{"GET / HTTP/1.0\r\n\r\n", 400, ""},
		{"GET /seed/a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", 308, "https://h/seed/a"},
	} {
		res := b.say(b.dial(), c.request)
		if res.StatusCode != c.status || res.Header.Get("Location") != c.location || !res.Close {
			t.Errorf("%.40q: %d, Location %q, close %v", c.request, res.StatusCode, res.Header.Get("Location"), res.Close)
		}
		if res.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%.40q: no security headers", c.request)
		}
	}
}

func TestWhatIsNotHTTPIsClosed(t *testing.T) {
	b := startBox(t, nil)
	for _, first := range []string{"\x00\x01\x00\x00", "\x80\x00", "\xff", "ssh"} {
		c := b.dial()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		io.WriteString(c, first)
		if n, err := c.Read(make([]byte, 100)); err == nil || isTimeout(err) {
			t.Errorf("%q: %d bytes, %v", first, n, err)
		}
	}
}

func TestNeverHTTP2(t *testing.T) {
	b := startBox(t, nil)
	for _, c := range []struct {
		offered []string
		want    string
		refused bool
	}{
		{offered: nil, want: ""},
		{offered: []string{"http/1.1"}, want: "http/1.1"},
		{offered: []string{"h2", "http/1.1"}, want: "http/1.1"},
		{offered: []string{"h2"}, refused: true},
	} {
		conn, err := tls.Dial("tcp", b.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: c.offered})
		if (err != nil) != c.refused {
			t.Errorf("%v: %v", c.offered, err)
		}
		if err == nil {
			if got := conn.ConnectionState().NegotiatedProtocol; got != c.want {
				t.Errorf("%v: %q", c.offered, got)
			}
			conn.Close()
		}
	}
}

func TestTLSOff(t *testing.T) {
	for name, off := range map[string]func(*Options){
		"not enabled": func(opt *Options) { opt.TLS = &certificate{off: true} },
		"nil":         func(opt *Options) { opt.TLS = nil },
	} {
		b := startBox(t, func(_ *config.Config, opt *Options) { off(opt) })
		if res, body := b.askAt("http://"+b.Addr().String(), "GET", "/healthz"); res.StatusCode != 200 || body != "ok\n" {
			t.Errorf("%s: %d %q", name, res.StatusCode, body)
		}
	}
}

// nobody takes the connections that speak STUN.
type nobody struct{}

func (nobody) ServeTLS(c net.Conn) { c.Close() }

// taker notes whether what it takes over can be written to without waiting.
type taker struct {
	*relay
	bold chan bool
}

func (s taker) ServeSeed(w http.ResponseWriter, _ *http.Request, _ string) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		s.bold <- false
		return
	}
	defer c.Close()
	s.bold <- nowait.Of(c) != nil
}

// TestSocketsWaitForNobody: signaling can write to a connection without waiting,
// whatever it came through.
func TestSocketsWaitForNobody(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there, they are waited for")
	}
	for name, change := range map[string]func(*Options){
		"TLS":            func(*Options) {},
		"TLS with TURN":  func(opt *Options) { opt.Relay = nobody{} },
		"behind a proxy": func(opt *Options) { opt.TLS = nil },
	} {
		t.Run(name, func(t *testing.T) {
			took := taker{bold: make(chan bool, 1)}
			b := startBox(t, func(_ *config.Config, opt *Options) {
				change(opt)
				opt.Signaling = took
			})
			c := b.dial()
			c.SetDeadline(time.Now().Add(10 * time.Second))
			if b.overTLS() {
				c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
			}
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
			select {
			case bold := <-took.bold:
				if !bold {
					t.Error("it has to be waited for")
				}
			case <-time.After(10 * time.Second):
				t.Error("it was never taken over")
			}
		})
	}
}

// Silent connections, one byte a second, handshakes that never end and requests
// that never end are all cut, and the box serves meanwhile.
func TestSlowClientsAreCut(t *testing.T) {
	t.Parallel()
	b := startBox(t, nil)
	begun := map[string]func(net.Conn){
		"silent":           func(net.Conn) {},
		"half a handshake": func(c net.Conn) { c.Write([]byte{tlsHandshake, 3, 1}) },
		"one byte a second": func(c net.Conn) {
			for {
				if _, err := c.Write([]byte("G")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		},
		"half a request": func(c net.Conn) {
			tc := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
			if tc.Handshake() == nil {
				io.WriteString(tc, "GET / HTTP/1.1\r\n")
			}
		},
	}
	cut := make(chan string)
	for name, begin := range begun {
		c := b.dial()
		c.SetReadDeadline(time.Now().Add(2 * greetTimeout))
		go begin(c)
		go func() {
			if name == "half a request" { // its own TLS client reads
				time.Sleep(time.Second)
			}
			if _, err := io.Copy(io.Discard, c); isTimeout(err) {
				cut <- name + " was not cut"
				return
			}
			cut <- ""
		}()
	}
	if res, _ := b.ask("GET", "/healthz"); res.StatusCode != 200 {
		t.Errorf("meanwhile: %d", res.StatusCode)
	}
	for range begun {
		if problem := <-cut; problem != "" {
			t.Error(problem)
		}
	}
}

func TestBigHeadersAreRefused(t *testing.T) {
	b := startBox(t, nil)
	res, _ := b.ask("GET", "/", "X-Big: "+strings.Repeat("x", 3*maxHeaderBytes))
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%d", res.StatusCode)
	}
}

func TestRunClosesEverything(t *testing.T) {
	b := startBox(t, nil)
	silent, kept := b.dial(), tls.Client(b.dial(), &tls.Config{InsecureSkipVerify: true})
	io.WriteString(kept, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
	if _, err := http.ReadResponse(bufio.NewReader(kept), nil); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	b.stop()
	if took := time.Since(begun); took > shutdownGrace/2 {
		t.Errorf("stopping took %v", took)
	}
	for _, c := range []net.Conn{silent, kept} {
		c.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := io.Copy(io.Discard, c); isTimeout(err) {
			t.Error("a connection is still open")
		}
	}
	if _, err := net.Dial("tcp", b.Addr().String()); err == nil {
		t.Error("the port still answers")
	}
	if b.gate.open != 0 {
		t.Errorf("%d connections are still counted", b.gate.open)
	}
}

// failing is a listener whose first Accepts fail as they do without descriptors.
type failing struct {
	net.Listener
	failures int
}

func (f *failing) Accept() (net.Conn, error) {
	if f.failures--; f.failures >= 0 {
		return nil, errors.New("too many open files")
	}
	return f.Listener.Accept()
}

func TestAcceptIsTriedAgain(t *testing.T) {
	ln, err := listen("127.0.0.1:0", newGate(1, 1), nil, nil, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	ln.raw = &failing{ln.raw, 5}
	ended := make(chan struct{})
	go func() { defer close(ended); ln.run() }()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	got.Close()
	ln.Close()
	<-ended
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func TestRestGrowsToASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &listener{raw: fakeListener{}, log: testLog(t), done: make(chan struct{})}
		start, pause := time.Now(), time.Duration(0)
		for range 20 {
			pause = ln.rest(pause, errors.New("no descriptors"))
		}
		if took := time.Since(start); pause != time.Second || took < 10*time.Second || took > 20*time.Second {
			t.Errorf("20 failures took %v, the last %v", took, pause)
		}
	})
}

type fakeListener struct{ net.Listener }

func (fakeListener) Addr() net.Addr { return &net.TCPAddr{} }

func TestNewClosesWhatItOpened(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	cfg := testConfig()
	cfg.Signaling.Listen, cfg.Admin.Listen = address, taken.Addr().String()
	if _, err := New(cfg, Options{Log: testLog(t)}); err == nil || !strings.HasPrefix(err.Error(), "admin.listen: ") {
		t.Errorf("%v", err)
	}
	again, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("the signaling port is still taken: %v", err)
	}
	again.Close()
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

package web

import (
	"net/http"
	"net/netip"
	"testing"

	"icebox/config"
)

func TestClient(t *testing.T) {
	cfg := testConfig()
	cfg.Signaling.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48")}
	for _, c := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"192.0.2.1:5", nil, "192.0.2.1"},
		{"192.0.2.1:5", []string{"198.51.100.1"}, "192.0.2.1"},
		{"10.0.0.1:5", nil, "10.0.0.1"},
		{"10.0.0.1:5", []string{"198.51.100.1"}, "198.51.100.1"},
		{"[::ffff:10.0.0.1]:5", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:5", []string{"203.0.113.1, 198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:5", []string{"203.0.113.1", "198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:5", []string{"203.0.113.1,198.51.100.1 ,10.9.9.9, 10.0.0.2"}, "198.51.100.1"},
		{"10.0.0.1:5", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"10.0.0.1:5", []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		{"10.0.0.1:5", []string{"198.51.100.1, , 10.0.0.2"}, "10.0.0.2"},
		{"10.0.0.1:5", []string{""}, "10.0.0.1"},
		{"10.0.0.1:5", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"[2001:db8:1::1]:5", []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		{"[2001:db8:1::1]:5", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"[2001:db8:1::1]:5", []string{"2001:db8::7"}, "2001:db8::7"},
		{"[2001:db8:2::1]:5", []string{"2001:db8::7"}, "2001:db8:2::1"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := client(r, cfg).Unmap().String(); got != c.want {
			t.Errorf("%s, %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

// addresses is a signaling that notes who has come.
type addresses struct {
	relay
	seen chan string
}

func (a *addresses) ServeRoom(w http.ResponseWriter, r *http.Request, _ string) {
	a.seen <- r.RemoteAddr
	w.WriteHeader(http.StatusTeapot)
}

// TestSignalingSeesTheClient: the address that it counts by is the client's, and
// a proxy that is not trusted is the client.
func TestSignalingSeesTheClient(t *testing.T) {
	seen := make(chan string, 1)
	b := startBox(t, func(_ *config.Config, opt *Options) { opt.Signaling = &addresses{seen: seen} })
	upgrade := []string{"Connection: Upgrade", "Upgrade: websocket", "X-Forwarded-For: 198.51.100.1"}
	b.ask("GET", "/ws/r", upgrade...)
	if got := <-seen; got[:10] != "127.0.0.1:" {
		t.Errorf("not trusted: %s", got)
	}
	next := testConfig()
	next.Signaling.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	b.Update(next)
	b.ask("GET", "/ws/r", upgrade...)
	if got := <-seen; got != "198.51.100.1:0" {
		t.Errorf("trusted: %s", got)
	}
}

// TestGuessesBehindAProxy: wrong passwords count for who sends them, not for the
// proxy.
func TestGuessesBehindAProxy(t *testing.T) {
	b := startBox(t, func(cfg *config.Config, _ *Options) {
		cfg.Signaling.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	for range freeAttempts {
		b.ask("GET", "/api/ice", basic("admin", "wrong"), "X-Forwarded-For: 198.51.100.1")
	}
	level := func(address string) float64 {
		b.attempts.mu.Lock()
		defer b.attempts.mu.Unlock()
		if tried := b.attempts.by[netip.MustParseAddr(address)]; tried != nil {
			return tried.level
		}
		return 0
	}
	if level("198.51.100.1") < freeAttempts/2 || level("127.0.0.1") != 0 {
		t.Errorf("the client has %v, the proxy %v", level("198.51.100.1"), level("127.0.0.1"))
	}
}

// TestProxyIsManyClients: the cap of one address is not for a trusted proxy.
func TestProxyIsManyClients(t *testing.T) {
	b := startBox(t, nil)
	b.gate.limit(1000, 1, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")})
	for range 5 {
		c := b.dial()
		defer c.Close()
	}
	waitFor(t, "all to be let in", func() bool {
		b.gate.mu.Lock()
		defer b.gate.mu.Unlock()
		return b.gate.open == 5 && b.gate.refused[refusedAddress] == 0
	})
}

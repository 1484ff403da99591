package signaling

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

func TestAddressOf(t *testing.T) {
	table := []struct{ remote, want string }{
		{"192.0.2.1:5000", "192.0.2.1"},
		{"[::ffff:192.0.2.1]:5000", "192.0.2.1"},
		{"[2001:db8:1:2:3:4:5:6]:5000", "2001:db8:1:2::"},
		{"[2001:db8:1:2::]:1", "2001:db8:1:2::"},
		{"[fe80::1%eth0]:5000", "fe80::"},
		{"pipe", "invalid IP"},
		{"", "invalid IP"},
	}
	for _, row := range table {
		r := &http.Request{RemoteAddr: row.remote, Header: http.Header{"X-Forwarded-For": {"198.51.100.1"}}}
		if got := addressOf(r).String(); got != row.want {
			t.Errorf("%q counts for %s, want %s", row.remote, got, row.want)
		}
	}
}

func TestCaps(t *testing.T) {
	table := []struct {
		no               *refusal
		inAll, ofAddress int
	}{
		{refuseMaxConnections, 3, 10},
		{refusePerAddress, 10, 3},
	}
	for _, row := range table {
		t.Run(row.no.reason, func(t *testing.T) {
			cfg := testConfig()
			cfg.Signaling.MaxConnections, cfg.Signaling.ConnectionsPerAddress = row.inAll, row.ofAddress
			s, url := start(t, cfg)
			for round := range 20 { // at the cap and back
				in := []*peer{dial(t, url), dial(t, url), dial(t, url)}
				dial(t, url+"/seed/elsewhere").expectClose(closeTooMany)
				in[0].send("still here")
				in[1].expect("still here")
				for _, p := range in {
					p.Close()
				}
				waitFor(t, "the sockets to be gone", func() bool { return len(s.hall.all()) == 0 })
				waitFor(t, "their places", func() bool { return s.gate.sockets() == 0 })
				if n := refused(s, row.no); n != uint64(round+1) {
					t.Fatalf("%s was counted %d times in round %d", row.no.reason, n, round)
				}
			}
			checkEmpty(t, s)
		})
	}
}

// TestRefusalsAreBounded: who is told 4429 and stays takes one of few places;
// when all are taken the next get a 503 without an upgrade.
func TestRefusalsAreBounded(t *testing.T) {
	cfg := testConfig()
	cfg.Signaling.MaxConnections = 1
	tn := defaultTuning()
	tn.refusing, tn.linger = 3, patience
	s, url := serve(t, newServer(cfg, quiet(), tn))
	first := dial(t, url)
	stubborn := []*peer{dial(t, url), dial(t, url), dial(t, url)}
	if code := status(t, url, nil); code != http.StatusServiceUnavailable {
		t.Errorf("a flood got %d", code)
	}
	if n := refused(s, refuseFlood); n != 1 {
		t.Errorf("flood was counted %d times", n)
	}
	for _, p := range stubborn {
		p.expectClose(closeTooMany) // and this answers it
	}
	waitFor(t, "the refused to be gone", func() bool { return len(s.hall.all()) == 1 })
	waitFor(t, "their places", func() bool { return status(t, url, nil) == http.StatusSwitchingProtocols })
	first.Close()
}

func TestRefusedWithoutUpgrade(t *testing.T) {
	s, url := start(t, testConfig())
	for _, name := range []string{"a.b", strings.Repeat("x", 65), "a%2Fb", "%E4%BD%A0", "a%0Ab", "a%20b", "a/b"} {
		if code := status(t, url+"/seed/"+name, nil); code != http.StatusNotFound {
			t.Errorf("/seed/%s got %d", name, code)
		}
	}
	if n := refused(s, refuseBadRoom); n != 7 {
		t.Errorf("bad-room was counted %d times", n)
	}
}

func TestBadHandshakes(t *testing.T) {
	s, _ := start(t, testConfig())
	good := http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
	}
	for name := range good {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header = good.Clone()
		r.Header.Del(name)
		w := httptest.NewRecorder()
		s.ServeSeed(w, r, "")
		if w.Code != http.StatusBadRequest && w.Code != http.StatusUpgradeRequired {
			t.Errorf("without %s: %d", name, w.Code)
		}
		if w.Body.Len() > 40 || w.Header().Get("Connection") != "close" {
			t.Errorf("without %s: %q, %v", name, w.Body, w.Header())
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header = good.Clone()
	w := httptest.NewRecorder()
	s.ServeSeed(w, r, "")
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	if n := refused(s, refuseHandshake); n != uint64(len(good)+1) {
		t.Errorf("bad-handshake was counted %d times", n)
	}
	checkEmpty(t, s)
}

// TestCompressionIsOff: it is not agreed on, whoever offers it.
func TestCompressionIsOff(t *testing.T) {
	_, url := start(t, testConfig())
	d := dialer()
	d.EnableCompression = true
	c, resp, err := d.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if x := resp.Header.Get("Sec-Websocket-Extensions"); x != "" {
		t.Errorf("the server agreed on %q", x)
	}
}

func TestSeedRoomOff(t *testing.T) {
	s, url := start(t, testConfig())
	open, named := dial(t, url), dial(t, url+"/seed/name")
	off := testConfig()
	off.Signaling.SeedRoom = false
	s.Update(off)
	open.expectClose(websocket.CloseGoingAway)
	if code := status(t, url, nil); code != http.StatusNotFound {
		t.Errorf("/ got %d while it is off", code)
	}
	other := dial(t, url+"/seed/name")
	other.send("still here")
	named.expect("still here")
	s.Update(testConfig())
	dial(t, url)
}

// TestUpdateLimits: new limits hold for a socket that is connected already, from
// its next message on.
func TestUpdateLimits(t *testing.T) {
	cfg := testConfig()
	cfg.Signaling.MaxMessage = 1000
	s, url := start(t, cfg)
	a, b := dial(t, url), dial(t, url)
	long := strings.Repeat("x", 60000)

	s.Update(testConfig())
	a.send(long)
	b.expect(long)

	s.Update(cfg)
	a.send(long)
	a.expectClose(websocket.CloseMessageTooBig)

	cfg = testConfig()
	cfg.Signaling.Messages.Rate, cfg.Signaling.Messages.Burst = 0.001, 5
	s.Update(cfg)
	c := dial(t, url)
	for i := range 5 {
		c.send(fmt.Sprint(i))
		b.expect(fmt.Sprint(i))
	}
	c.send("x")
	c.expectClose(closeTooMany)

	cfg.Signaling.ConnectionsPerAddress = 1
	s.Update(cfg)
	dial(t, url).expectClose(closeTooMany)
	s.Update(testConfig())
	b.expectNothing(dial(t, url)) // the old ones stayed in
}

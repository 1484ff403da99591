package signaling

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// follow reads until the end and hands every message on, with no deadline.
func (p *peer) follow() <-chan string {
	p.SetReadDeadline(time.Time{})
	heard := make(chan string, 100)
	go func() {
		defer close(heard)
		for {
			_, text, err := p.ReadMessage()
			if err != nil {
				return
			}
			heard <- string(text)
		}
	}()
	return heard
}

// TestRenewal: new credentials come when three quarters of the old ones are over,
// also to who has come back meanwhile, and to nobody who has none.
func TestRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := invited()
		cfg.Signaling.Access = "open"
		s := New(cfg, withICE())
		guest := welcomed(t, pipeTo(t, s, "/ws/r"))
		a := welcomed(t, pipeTo(t, s, "/ws/r?invite="+s.Invite("r", time.Hour)))
		if a.TTL != 3600 || guest.TTL != 0 {
			t.Fatalf("credentials are good for %d and %d", a.TTL, guest.TTL)
		}
		quietly := guest.follow()
		a.NetConn().Close()
		synctest.Wait()
		time.Sleep(20 * time.Second)
		a = welcomed(t, pipeTo(t, s, a.back(0)))
		begin := time.Now()
		heard := a.follow()
		for n := range 3 {
			want := fmt.Sprintf(`{"seq":%d,"type":"ice-servers","iceServers":[{"id":"%s","relay":true,"host":true}],"ttl":3600,"restart":false}`, n+1, a.ID)
			if text := <-heard; text != want {
				t.Errorf("%s, want %s", text, want)
			}
			if at := time.Since(begin); at != time.Duration(n+1)*45*time.Minute {
				t.Errorf("number %d came after %v", n, at)
			}
		}
		if n := len(quietly); n != 1 { // that a has joined
			t.Errorf("the guest was told %d things", n)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		checkEmpty(t, s)
	})
}

// TestPushICE: to everybody in every room, also to who is about to come back.
func TestPushICE(t *testing.T) {
	s, url := serve(t, newServer(testConfig(), withICE(), defaultTuning()))
	a, b := pair(t, url)
	c := enter(t, url+"/ws/other")
	b.cut()
	waitFor(t, "the loss", func() bool { return s.gate.sockets() == 2 })
	s.PushICE(true)
	for g, seq := range map[*guest]int{a: 2, b: 1, c: 1} {
		if g == b {
			g.peer = enter(t, url+b.back(0)).peer
		}
		g.expectf(`{"seq":%d,"type":"ice-servers","iceServers":[{"id":"%s","relay":false,"host":true}],"ttl":0,"restart":true}`, seq, g.ID)
	}
}

// overtaken is an ICE whose answers get old at once, while overtake is set: the
// address changes while they are under way.
type overtaken struct {
	server   *Server
	overtake atomic.Bool
	address  atomic.Int64
}

func (o *overtaken) ice(string, string, bool) (json.RawMessage, time.Duration) {
	list := json.RawMessage(strconv.AppendInt([]byte("["), o.address.Load(), 10))
	if o.overtake.CompareAndSwap(true, false) {
		o.address.Add(1)
		o.server.PushICE(true)
	}
	return append(list, ']'), time.Hour
}

// TestOvertakenICE: whoever was given servers that have changed meanwhile gets the new
// ones, and nobody the old ones last.
func TestOvertakenICE(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o overtaken
		opt := quiet()
		opt.ICE = o.ice
		o.server = newServer(testConfig(), opt, defaultTuning())
		o.overtake.Store(true)
		a := welcomed(t, pipeTo(t, o.server, "/ws/r"))
		if string(a.ICEServers) != "[0]" {
			t.Fatalf("the welcome has %s", a.ICEServers)
		}
		heard := a.follow()
		expect := func(seq int, address string, restart bool) {
			t.Helper()
			want := fmt.Sprintf(`{"seq":%d,"type":"ice-servers","iceServers":[%s],"ttl":3600,"restart":%v}`, seq, address, restart)
			if text := <-heard; text != want {
				t.Errorf("%s, want %s", text, want)
			}
		}
		expect(1, "1", true)
		o.overtake.Store(true) // during the renewal
		expect(2, "2", true)
		expect(3, "2", false)
		if err := o.server.Close(t.Context()); err != nil {
			t.Error(err)
		}
		checkEmpty(t, o.server)
	})
}

// TestLeft: the box hears of everybody who has left for good, once, and of nobody
// who may come back; from then on the id is gone.
func TestLeft(t *testing.T) {
	var mu sync.Mutex
	left := map[string]int{}
	opt := quiet()
	opt.Left = func(id string) {
		mu.Lock()
		defer mu.Unlock()
		left[id]++
	}
	count := func(id string) int {
		mu.Lock()
		defer mu.Unlock()
		return left[id]
	}
	cfg := testConfig()
	cfg.Signaling.Resume, cfg.Signaling.GuestTURN = 300*time.Millisecond, true
	s, url := serve(t, newServer(cfg, opt, defaultTuning()))
	ways := map[string]func(g *guest){
		"says so": func(g *guest) {
			g.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), farFuture())
		},
		"does not come back":      func(g *guest) { g.cut() },
		"breaks a rule":           func(g *guest) { g.raw(clientFrame(0x82, 1, "x")) },
		"comes back too lost":     func(g *guest) { dial(t, url+g.back(7)).expectEnd(refuseResume) },
		"takes over, then leaves": func(g *guest) { enter(t, url+g.back(0)).cut() },
	}
	for name, leave := range ways {
		t.Run(name, func(t *testing.T) {
			g := enter(t, url+"/ws/r")
			if s.Gone(g.ID) || count(g.ID) != 0 {
				t.Error("gone before it has left")
			}
			leave(g)
			waitFor(t, "the box to hear of it", func() bool { return count(g.ID) > 0 })
			time.Sleep(2 * cfg.Signaling.Resume)
			if n := count(g.ID); n != 1 || !s.Gone(g.ID) {
				t.Errorf("told %d times, gone: %v", n, s.Gone(g.ID))
			}
		})
	}
	stays := enter(t, url+"/ws/r")
	stays.cut()
	stays = enter(t, url+stays.back(0))
	time.Sleep(2 * cfg.Signaling.Resume)
	if s.Gone(stays.ID) || count(stays.ID) != 0 {
		t.Error("who has come back is gone")
	}
	for _, other := range []string{"", "guest-" + stays.ID, strings.ToLower(stays.ID), stays.ID + "A", "bob"} {
		if s.Gone(other) {
			t.Errorf("%q, which is no peer, is gone", other)
		}
	}
}

// TestGuestsOut: where guests get no TURN any more, those who are in a room have none
// either, and those who were invited keep theirs.
func TestGuestsOut(t *testing.T) {
	cfg := invited()
	cfg.Signaling.Access, cfg.Signaling.GuestTURN = "open", true
	s, url := serve(t, newServer(cfg, withICE(), defaultTuning()))
	g := enter(t, url+"/ws/r")
	asked := enter(t, url+"/ws/r?invite="+s.Invite("r", time.Hour))
	g.expectf(`{"seq":1,"type":"peer-joined","id":"%s"}`, asked.ID)
	if s.Gone(g.ID) || s.Gone(asked.ID) {
		t.Error("gone before anything has changed")
	}
	next := *cfg
	next.Signaling.GuestTURN = false
	s.Update(&next)
	if !s.Gone(g.ID) || s.Gone(asked.ID) {
		t.Errorf("the guest is gone: %v, who was invited: %v", s.Gone(g.ID), s.Gone(asked.ID))
	}
	s.PushICE(false)
	g.expectf(`{"seq":2,"type":"ice-servers","iceServers":[{"id":"%s","relay":false,"host":true}],"ttl":0,"restart":false}`, g.ID)
	asked.expectf(`{"seq":1,"type":"ice-servers","iceServers":[{"id":"%s","relay":true,"host":true}],"ttl":3600,"restart":false}`, asked.ID)
}

// TestWelcomeIsSound: what ICE returns stands in it as JSON.
func TestWelcomeIsSound(t *testing.T) {
	_, url := serve(t, newServer(testConfig(), withICE(), defaultTuning()))
	g := enter(t, url+"/ws/r")
	if !json.Valid(g.ICEServers) || !strings.HasPrefix(string(g.ICEServers), "[{") {
		t.Errorf("iceServers is %s", g.ICEServers)
	}
	_, url = start(t, testConfig())
	if g := enter(t, url+"/ws/r"); string(g.ICEServers) != "[]" || g.TTL != 0 {
		t.Errorf("without ICE: %+v", g.welcome)
	}
}

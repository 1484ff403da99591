package publicaddr

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"icebox/config"
)

func addr(s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(s)
}

func configOf(source, v4, v6 string) *config.Config {
	return &config.Config{Public: config.Public{
		Source: source, IPv4: addr(v4), IPv6: addr(v6), Interval: 30 * time.Second,
	}}
}

func nowhere(netip.Addr) bool { return false }

func discard() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func TestNew(t *testing.T) {
	own := Addresses{IPv4: addr("192.168.1.2"), IPv6: addr("2a00::2")}
	tests := []struct {
		source, v4, v6 string
		want           Addresses
		err            string
	}{
		{source: "auto", want: own},
		{source: "auto", v4: "8.8.8.8", want: Addresses{addr("8.8.8.8"), own.IPv6, true}},
		{source: "auto", v6: "2a00::8", want: Addresses{own.IPv4, addr("2a00::8"), false}},
		{source: "static", v6: "2a00::8", want: Addresses{IPv6: addr("2a00::8"), Static: true}},
		{source: "static", v4: "8.8.8.8", v6: "2a00::8", want: Addresses{addr("8.8.8.8"), addr("2a00::8"), true}},
		{source: "interface", v4: "8.8.8.8", want: own},
		{source: "dns", err: `public.source: "dns" is not available`},
	}
	for _, tt := range tests {
		s, err := newSource(configOf(tt.source, tt.v4, tt.v6), discard(), func() Addresses { return own }, nowhere)
		switch {
		case tt.err != "":
			if err == nil || err.Error() != tt.err {
				t.Errorf("%+v: error %v", tt, err)
			}
		case err != nil:
			t.Errorf("%+v: %v", tt, err)
		case s.Current() != tt.want:
			t.Errorf("%+v: %+v", tt, s.Current())
		}
	}
}

// TestBound: what relays are bound to is where they are reached, of several addresses
// that this host has; but what is configured goes before that.
func TestBound(t *testing.T) {
	own := Addresses{IPv4: addr("192.168.1.2"), IPv6: addr("2a00::2")}
	for _, tt := range []struct {
		source, v4, v6, bound string
		want                  Addresses
	}{
		{"auto", "", "", "192.168.1.5", Addresses{addr("192.168.1.5"), own.IPv6, false}},
		{"interface", "8.8.8.8", "", "192.168.1.5", Addresses{addr("192.168.1.5"), own.IPv6, false}},
		{"auto", "", "", "2a00::5", Addresses{own.IPv4, addr("2a00::5"), false}},
		{"auto", "8.8.8.8", "", "192.168.1.5", Addresses{addr("8.8.8.8"), own.IPv6, true}},
		{"static", "", "2a00::8", "2a00::5", Addresses{IPv6: addr("2a00::8"), Static: true}},
		{"auto", "", "", "127.0.0.1", own},
	} {
		cfg := configOf(tt.source, tt.v4, tt.v6)
		cfg.TURN.Relay.Address = addr(tt.bound)
		s, err := newSource(cfg, discard(), func() Addresses { return own }, nowhere)
		if err != nil {
			t.Fatal(err)
		}
		if s.refresh(); s.Current() != tt.want {
			t.Errorf("%+v: %+v", tt, s.Current())
		}
		cfg.TURN.Relay.Address = addr("192.168.1.6") // which can't change while it runs
		if s.Update(cfg); s.Current() != tt.want {
			t.Errorf("%+v: %+v after an update", tt, s.Current())
		}
	}
}

// TestRun lets the interface's address change, and then the configuration.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		home := Addresses{IPv4: addr("192.168.1.2")}
		moved := Addresses{IPv4: addr("192.168.1.3"), IPv6: addr("2a00::2")}
		static := Addresses{addr("8.8.8.8"), moved.IPv6, true}
		var found atomic.Pointer[Addresses]
		found.Store(&home)
		var logged strings.Builder
		s, err := newSource(configOf("auto", "", ""), slog.New(slog.NewTextHandler(&logged, nil)),
			func() Addresses { return *found.Load() }, nowhere)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		expect := func(after time.Duration, want Addresses) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if got := s.Current(); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
		changes := func(want int) {
			t.Helper()
			if n := len(s.Changes()); n != want {
				t.Errorf("%d changes wait to be told, want %d", n, want)
			}
		}
		expect(time.Hour+time.Second, home)
		changes(0)
		found.Store(&moved)
		expect(28*time.Second, home)
		expect(2*time.Second, moved)
		changes(1)
		s.Update(configOf("auto", "8.8.8.8", ""))
		expect(time.Hour, static)
		changes(1)
		<-s.Changes()
		s.Update(configOf("dns", "", ""))
		expect(time.Hour, static)
		changes(0)
		s.Update(configOf("interface", "8.8.8.8", ""))
		expect(0, moved)
		quick := configOf("interface", "", "")
		quick.Public.Interval = 5 * time.Second
		s.Update(quick)
		found.Store(&home)
		expect(6*time.Second, moved) // there is less than before: for a moment, perhaps
		expect(5*time.Second, home)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if n := strings.Count(logged.String(), `msg="public address"`); n != 5 {
			t.Errorf("5 changes, %d of them logged:\n%s", n, logged.String())
		}
	})
}

// TestChanges: what relays of before can be told by, and what is no change for them.
func TestChanges(t *testing.T) {
	const stays = "2a00::1" // on an interface, beside the one that is used now
	one, two := addr("8.8.8.8"), addr("9.9.9.9")
	steps := []struct {
		name  string
		found Addresses
		now   Addresses
		told  bool
	}{
		{"the first", Addresses{one, addr(stays), false}, Addresses{one, addr(stays), false}, false},
		{"another, and the one of before is there", Addresses{one, addr("2a00::2"), false}, Addresses{one, addr("2a00::2"), false}, false},
		{"none for a moment", Addresses{IPv6: addr("2a00::2")}, Addresses{one, addr("2a00::2"), false}, false},
		{"the same again", Addresses{one, addr("2a00::2"), false}, Addresses{one, addr("2a00::2"), false}, false},
		{"none", Addresses{IPv6: addr("2a00::2")}, Addresses{one, addr("2a00::2"), false}, false},
		{"none still", Addresses{IPv6: addr("2a00::2")}, Addresses{IPv6: addr("2a00::2")}, false},
		{"the same after a while", Addresses{one, addr("2a00::2"), false}, Addresses{one, addr("2a00::2"), false}, false},
		{"of a LAN", Addresses{addr("192.168.1.2"), addr("2a00::2"), false}, Addresses{one, addr("2a00::2"), false}, false},
		{"another", Addresses{two, addr("2a00::2"), false}, Addresses{two, addr("2a00::2"), false}, true},
		{"both others", Addresses{one, addr("2a00::3"), false}, Addresses{one, addr("2a00::3"), false}, true},
	}
	found := steps[0].found
	s, err := newSource(configOf("auto", "", ""), discard(), func() Addresses { return found },
		func(a netip.Addr) bool { return a == addr(stays) || a == one })
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		found = step.found
		s.Update(configOf("auto", "", "")) // something else has changed: no look
		s.refresh()
		told := len(s.Changes()) == 1
		if told {
			<-s.Changes()
		}
		if s.Current() != step.now || told != step.told {
			t.Errorf("%s: %+v, told: %v; want %+v, %v", step.name, s.Current(), told, step.now, step.told)
		}
	}
}

func TestChoose(t *testing.T) {
	lan := iface{"eth0", false, []netip.Addr{addr("fe80::1"), addr("192.168.1.2"), addr("fd00::2"), addr("2a00::2")}}
	docker := iface{"docker0", false, []netip.Addr{addr("172.17.0.1"), addr("2a00:d::1")}}
	network := iface{"br-0123456789ab", false, []netip.Addr{addr("172.18.0.1")}}
	router := iface{"br-lan", false, []netip.Addr{addr("192.168.8.1")}}
	loopback := iface{"lo", false, []netip.Addr{addr("127.0.0.1"), addr("::1")}}
	odd := iface{"eth9", false, []netip.Addr{addr("169.254.3.4"), addr("224.0.0.1"), addr("fec0::1"), {}}}
	vpn := iface{"wg0", true, []netip.Addr{addr("10.8.0.2")}}
	tests := []struct {
		name       string
		v4, v6     string
		interfaces []iface
		want       Addresses
	}{
		{"both routed", "10.0.0.9", "2a00::9", []iface{docker, lan}, Addresses{IPv4: addr("10.0.0.9"), IPv6: addr("2a00::9")}},
		{"IPv4 routed, no IPv6", "10.0.0.9", "", []iface{loopback, docker}, Addresses{IPv4: addr("10.0.0.9")}},
		{"ULA routed", "10.0.0.9", "fd00::2", []iface{lan}, Addresses{IPv4: addr("10.0.0.9"), IPv6: addr("2a00::2")}},
		{"no route", "", "", []iface{loopback, docker, network, lan}, Addresses{IPv4: addr("192.168.1.2"), IPv6: addr("2a00::2")}},
		{"router without a way out", "", "", []iface{network, router}, Addresses{IPv4: addr("192.168.8.1")}},
		{"containers alone", "", "", []iface{loopback, network, docker}, Addresses{}},
		{"all into a tunnel", "10.8.0.2", "", []iface{loopback, vpn, lan}, Addresses{IPv4: addr("192.168.1.2"), IPv6: addr("2a00::2")}},
		{"a tunnel alone", "10.8.0.2", "", []iface{loopback, vpn}, Addresses{IPv4: addr("10.8.0.2")}},
		{"a line to the provider", "8.8.8.8", "", []iface{loopback, {"ppp0", true, []netip.Addr{addr("8.8.8.8")}}, router}, Addresses{IPv4: addr("8.8.8.8")}},
		{"nothing of use", "", "", []iface{loopback, odd}, Addresses{}},
		{"no interface", "127.0.0.1", "::1", nil, Addresses{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := choose(addr(tt.v4), addr(tt.v6), func() []iface { return tt.interfaces }); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestLookAtSystem checks that what is found on this machine, whatever that is,
// is an address of one of its interfaces.
func TestLookAtSystem(t *testing.T) {
	own := make(map[netip.Addr]bool)
	for _, i := range readInterfaces() {
		for _, a := range i.addrs {
			own[a] = true
		}
	}
	if !own[addr("127.0.0.1")] {
		t.Error("no 127.0.0.1 on this machine")
	}
	found := lookAtSystem()
	if found.Static || found.IPv4.IsValid() && !own[found.IPv4] || found.IPv6.IsValid() && !own[found.IPv6] {
		t.Errorf("%+v, and the interfaces have %v", found, own)
	}
}

func TestString(t *testing.T) {
	for want, a := range map[string]Addresses{
		"IPv4 none; IPv6 none":        {},
		"IPv4 8.8.8.8; IPv6 2a00::1":  {IPv4: addr("8.8.8.8"), IPv6: addr("2a00::1")},
		"IPv4 192.168.1.2; IPv6 none": {IPv4: addr("192.168.1.2"), Static: true},
		"IPv4 192.168.1.2, which the internet does not see (public.ipv4); IPv6 none": {IPv4: addr("192.168.1.2")},
	} {
		if a.String() != want {
			t.Errorf("%q, want %q", a.String(), want)
		}
	}
}

func TestCurrentDoesNotAllocate(t *testing.T) {
	s, err := newSource(configOf("static", "8.8.8.8", ""), discard(), nil, nowhere)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { s.Current() }); n != 0 {
		t.Errorf("Current allocates %v times", n)
	}
}

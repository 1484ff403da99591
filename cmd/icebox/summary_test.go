package main

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"icebox/config"
	"icebox/internal/hostnet"
)

func TestForwards(t *testing.T) {
	udp := func(host string, port int) net.Addr { return &net.UDPAddr{IP: net.ParseIP(host), Port: port} }
	tcp := func(host string, port int) net.Addr { return &net.TCPAddr{IP: net.ParseIP(host), Port: port} }
	both := []config.Listener{{Network: "udp"}, {Network: "tcp"}}
	for _, c := range []struct {
		name   string
		public config.Public
		listen []config.Listener
		turn   []net.Addr
		page   net.Addr
		want   []string
	}{
		{"the defaults", config.Public{}, both, []net.Addr{udp("::", 3478), tcp("::", 3478)}, tcp("::", 3002),
			[]string{"udp and tcp 3478 TURN and STUN", "tcp 3002 the pages, signaling, TURN over TLS", "udp 50000-50999 relayed calls"}},
		{"other ports outside", config.Public{TURNPort: 443, URL: "https://home.example:8443/call"}, both,
			[]net.Addr{udp("::", 3478), tcp("::", 3478)}, tcp("::", 3002),
			[]string{"udp and tcp 443 to 3478 TURN and STUN", "tcp 8443 to 3002 the pages, signaling, TURN over TLS", "udp 50000-50999 relayed calls"}},
		{"a url without a port", config.Public{URL: "https://home.example/call"}, both[:1],
			[]net.Addr{udp("192.0.2.9", 5000)}, tcp("::", 3002),
			[]string{"udp 5000 to 192.0.2.9 TURN and STUN", "tcp 443 to 3002 the pages, signaling, TURN over TLS", "udp 50000-50999 relayed calls"}},
		{"a listener of one address", config.Public{TURNPort: 443}, both,
			[]net.Addr{udp("192.168.2.20", 3478), tcp("fd00::20", 3478)}, tcp("::", 3002),
			[]string{"udp 443 to 192.168.2.20:3478 TURN and STUN", "tcp 443 to [fd00::20]:3478 TURN and STUN",
				"tcp 3002 the pages, signaling, TURN over TLS", "udp 50000-50999 relayed calls"}},
		{"another port outside, without udp", config.Public{TURNPort: 443}, both[1:], []net.Addr{tcp("::", 3478)}, tcp("::", 3002),
			[]string{"tcp 443 to 3478 TURN and STUN", "tcp 3002 the pages, signaling, TURN over TLS", "udp 50000-50999 relayed calls"}},
		{"loopback is for nobody outside", config.Public{}, both, []net.Addr{udp("127.0.0.1", 3478), tcp("::", 3478)}, tcp("::1", 3002),
			[]string{"tcp 3478 TURN and STUN", "udp 50000-50999 relayed calls"}},
		{"a tls listener", config.Public{}, append(both[:2:2], config.Listener{Network: "tls"}),
			[]net.Addr{udp("::", 3478), tcp("::", 3478), tcp("::", 5349)}, tcp("::", 3002),
			[]string{"udp and tcp 3478 TURN and STUN", "tcp 5349 TURN over TLS", "tcp 3002 the pages, signaling, TURN over TLS", "udp 50000-50999 relayed calls"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := netip.MustParseAddr("192.168.1.20")
			cfg := &config.Config{Public: c.public}
			cfg.TURN.Listen = c.listen
			cfg.TURN.Relay.Ports = config.PortRange{Min: 50000, Max: 50999}
			var got []string
			for _, f := range forwards(cfg, c.turn, c.page, home) {
				if f.to == home {
					f.to = netip.Addr{}
				}
				got = append(got, strings.Join(strings.Fields(f.String()), " "))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestForwardsWithoutTLS: the page's port then carries no TURN.
func TestForwardsWithoutTLS(t *testing.T) {
	cfg := &config.Config{TLS: config.TLS{Source: "off"}}
	rows := forwards(cfg, nil, &net.TCPAddr{Port: 3002}, netip.Addr{})
	if rows[0].what != "the pages and signaling" {
		t.Errorf("%s", rows[0])
	}
}

// TestPorts: what is to be done with the ports, and which address stands where.
func TestPorts(t *testing.T) {
	const forward = "\nTo be reached from the internet, forward these ports of the router to "
	for _, c := range []struct{ name, home, bound, want string }{
		{"behind a router", "192.168.1.20", "::", forward + "192.168.1.20:\n" +
			"  udp  3478       TURN and STUN\n" +
			"  tcp  3002       the pages, signaling, TURN over TLS\n" +
			"  udp  50000-999  relayed calls\n"},
		{"TURN is bound", "192.168.1.20", "192.168.2.20", forward + "192.168.2.20:\n" +
			"  udp  3478                       TURN and STUN\n" +
			"  tcp  3002 to 192.168.1.20       the pages, signaling, TURN over TLS\n" +
			"  udp  50000-999 to 192.168.1.20  relayed calls\n"},
		{"no network", "127.0.0.1", "::", forward + "this box, which has no network yet:\n  udp  3478"},
		{"no router", "198.51.100.7", "::", "\nTo be reached from the internet, let these ports in through this machine's firewall:\n  udp  3478"},
		{"a shared address", "100.64.0.7", "::", "\nTo be reached from the internet, let these ports in through this machine's firewall:\n"},
		{"IPv6", "2001:db8::7", "::", "\nTo be reached from the internet, let these ports in through the firewalls of the router and of this machine:\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := summary{
				cfg:  &config.Config{},
				turn: []net.Addr{&net.UDPAddr{IP: net.ParseIP(c.bound), Port: 3478}},
				page: &net.TCPAddr{IP: net.IPv6unspecified, Port: 3002},
				lan:  []lanAddress{{ip: netip.MustParseAddr(c.home)}},
			}
			s.cfg.TURN.Listen = []config.Listener{{Network: "udp"}}
			s.cfg.TURN.Relay.Ports = config.PortRange{Min: 50000, Max: 999}
			got := new(strings.Builder)
			if s.printPorts(got); !strings.HasPrefix(got.String(), c.want) {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestPortsOverIPv6: a router forwards nothing there, and has a firewall.
func TestPortsOverIPv6(t *testing.T) {
	const line = "Over IPv6 nothing is forwarded: let them in to 2001:db8::20 through the router's firewall.\n"
	for _, c := range []struct {
		name, home string
		page       net.IP
		tunnel     bool
		told       bool
	}{
		{"behind a router", "192.168.1.20", net.IPv6unspecified, false, true},
		{"a shared address", "100.64.0.7", net.IPv6unspecified, false, true},
		{"no router", "198.51.100.7", net.IPv6unspecified, false, false},
		{"IPv6 alone", "2001:db8::20", net.IPv6unspecified, false, false},
		{"listens on IPv4 alone", "192.168.1.20", net.IPv4zero, false, false},
		{"a tunnel's", "192.168.1.20", net.IPv6unspecified, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := summary{
				cfg:  &config.Config{},
				turn: []net.Addr{&net.UDPAddr{IP: net.IPv6unspecified, Port: 3478}},
				page: &net.TCPAddr{IP: c.page, Port: 3002},
				lan: []lanAddress{{ip: netip.MustParseAddr(c.home)}, {ip: netip.MustParseAddr("fd00::20")},
					{ip: netip.MustParseAddr("2001:db8::20"), tunnel: c.tunnel}},
			}
			s.cfg.TURN.Listen = []config.Listener{{Network: "udp"}}
			got := new(strings.Builder)
			if s.printPorts(got); strings.HasSuffix(got.String(), line) != c.told || !c.told && strings.Contains(got.String(), "IPv6") {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestPages: the public page first, with what it takes.
func TestPages(t *testing.T) {
	for _, c := range []struct {
		name string
		with func(*summary)
		want []string
	}{
		{"nothing public", func(*summary) {}, []string{"https://192.168.1.20:3002 from this network (eth0)"}},
		{"a domain", func(s *summary) { s.cfg.Domain = "home.example" }, []string{
			"https://home.example:3002 from the internet, once the ports below are forwarded",
			"https://192.168.1.20:3002 from this network (eth0)"}},
		{"a static address", func(s *summary) { s.cfg.Public.IPv4 = netip.MustParseAddr("198.51.100.7") }, []string{
			"https://198.51.100.7:3002 from the internet, once the ports below are forwarded",
			"https://192.168.1.20:3002 from this network (eth0)"}},
		{"a domain and a static address", func(s *summary) {
			s.cfg.Domain, s.cfg.Public.IPv4 = "home.example", netip.MustParseAddr("198.51.100.7")
		}, []string{
			"https://home.example:3002 from the internet, once the ports below are forwarded",
			"https://192.168.1.20:3002 from this network (eth0)"}},
		{"a static address of its own", func(s *summary) {
			s.cfg.Public.IPv4 = netip.MustParseAddr("198.51.100.7")
			s.lan[0].ip = s.cfg.Public.IPv4
		}, []string{"https://198.51.100.7:3002 from the internet, once the ports below are let in"}},
		{"a static address of an overlay", func(s *summary) { s.cfg.Public.IPv4 = netip.MustParseAddr("100.64.0.7") }, []string{
			"https://100.64.0.7:3002 from the network of that address",
			"https://192.168.1.20:3002 from this network (eth0)"}},
		{"a static address that is not used", func(s *summary) {
			s.cfg.Public = config.Public{Source: "interface", IPv4: netip.MustParseAddr("198.51.100.7")}
		}, []string{"https://192.168.1.20:3002 from this network (eth0)"}},
		{"no router", func(s *summary) {
			s.cfg.Domain, s.lan[0].ip = "home.example", netip.MustParseAddr("198.51.100.7")
		}, []string{
			"https://home.example:3002 from the internet, once the ports below are let in",
			"https://198.51.100.7:3002 from this network (eth0)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := summary{
				cfg:   &config.Config{},
				https: true,
				page:  &net.TCPAddr{Port: 3002},
				lan:   []lanAddress{{ip: netip.MustParseAddr("192.168.1.20"), via: "eth0"}},
			}
			c.with(&s)
			s.cfg.Signaling.Listen = ":3002"
			invites, err := (&app{stderr: io.Discard}).landingPage(s.cfg)
			if err != nil {
				t.Fatal(err)
			}
			if public := publicPage(s.cfg, "https", 3002); public != "" && (s.link() != public || invites != public) {
				t.Errorf("serve links to %s, invite to %s, want %s", s.link(), invites, public)
			}
			var got []string
			for _, row := range s.pages() {
				got = append(got, strings.Join(strings.Fields(row), " "))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestSnippetHost: what a page of one's own is told to use is what others reach.
func TestSnippetHost(t *testing.T) {
	s := summary{cfg: &config.Config{}, lan: []lanAddress{{ip: netip.MustParseAddr("192.168.1.20")}}}
	s.cfg.TURN.Listen = []config.Listener{{Network: "udp"}}
	s.turn = []net.Addr{&net.UDPAddr{Port: 3478}}
	for _, c := range []struct{ static, want string }{{"", "stun:192.168.1.20:3478"}, {"198.51.100.7", "stun:198.51.100.7:3478"}} {
		s.cfg.Public.IPv4, _ = netip.ParseAddr(c.static)
		if got := s.snippet(); !strings.Contains(got, c.want) {
			t.Errorf("%q: got %s, want %s", c.static, got, c.want)
		}
	}
}

// TestPagesWithoutNetwork: loopback is not what the network of this box can use.
func TestPagesWithoutNetwork(t *testing.T) {
	s := summary{cfg: &config.Config{}, page: &net.TCPAddr{Port: 3002}, lan: []lanAddress{{ip: netip.MustParseAddr("127.0.0.1")}}}
	if pages := s.pages(); len(pages) != 1 || !strings.Contains(pages[0], "no network yet") {
		t.Errorf("the pages are %q", pages)
	}
}

func TestOnInternet(t *testing.T) {
	for ip, want := range map[string]bool{
		"198.51.100.7": true, "2001:db8::1": true,
		"10.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "100.64.0.1": false,
		"169.254.1.1": false, "127.0.0.1": false, "fd00::1": false, "fe80::1": false, "0.0.0.0": false,
		"192.0.0.2": false, "198.18.0.1": false, "240.0.0.1": false, "192.88.99.1": false,
	} {
		if got := hostnet.OnInternet(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: %v, want %v", ip, got, want)
		}
	}
}

func TestSummaryNotes(t *testing.T) {
	sound := summary{cfg: &config.Config{}, https: true, trusted: true}
	if notes := sound.notes(); len(notes) != 0 {
		t.Errorf("a box with nothing to say says %q", notes)
	}
	for _, c := range []struct {
		name string
		with func(*summary)
		want string
	}{
		{"untrusted", func(s *summary) { s.trusted = false }, "iPhone"},
		{"plain http", func(s *summary) { s.https = false }, "tls.source"},
		{"relays stay here", func(s *summary) { s.relayLocal = netip.MustParseAddr("10.0.0.9") }, "public.ipv4"},
		{"no relay at all", func(s *summary) { s.noRelay = true }, "public.ipv4"},
		{"IPv6 alone", func(s *summary) { s.noIPv4 = true }, "public.ipv4"},
		{"a shared address", func(s *summary) { s.lan = []lanAddress{{ip: netip.MustParseAddr("100.64.0.7")}} }, "IPv6"},
		{"an open /", func(s *summary) { s.cfg.Signaling.SeedRoom = true }, "seed_room"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sound
			s.cfg = &config.Config{}
			c.with(&s)
			if notes := s.notes(); len(notes) != 1 || !strings.Contains(notes[0], c.want) {
				t.Errorf("it says %q, want one note with %q", notes, c.want)
			}
		})
	}
}

func TestNamesCanNotForgeLines(t *testing.T) {
	for name, want := range map[string]string{"bob": "bob", "小明": "小明", "a\nroot": `"a\nroot"`, "\x1b[2J": `"\x1b[2J"`} {
		if got := plain(name); got != want {
			t.Errorf("%q is shown as %s, want %s", name, got, want)
		}
	}
}

// TestUserLines: a generated password is shown once, to a person alone; from then
// on its file is named, whatever the user is called.
func TestUserLines(t *testing.T) {
	lines := func(name string, show bool, dir string) (line, password, path string) {
		cfg := config.Default()
		cfg.StateDir = dir
		cfg.TURN.Users = []config.User{{Name: name}}
		generated := generatedUsers(cfg)
		if err := cfg.Secrets(true); err != nil {
			t.Fatal(err)
		}
		return describeUsers(cfg, generated, show)[0], cfg.TURN.Users[0].Password, cfg.PasswordPath(name)
	}
	for _, name := range []string{"admin", "Ann", "小明"} {
		for _, show := range []bool{true, false} {
			dir := t.TempDir()
			for start := range 2 {
				line, password, path := lines(name, show, dir)
				if shown := strings.Contains(line, password); shown != (show && start == 0) {
					t.Errorf("start %d, terminal %v: the password is shown: %v", start, show, shown)
				}
				if !strings.Contains(line, path) {
					t.Errorf("%q lacks %s", line, path)
				}
			}
		}
	}
}

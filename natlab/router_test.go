package natlab_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"icebox/natlab"
)

// serve answers each TCP connection to the listener with the address of the
// client, until the test ends.
func serve(t *testing.T, h *natlab.Host, address string) {
	t.Helper()
	l, err := h.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte(conn.RemoteAddr().String()))
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
}

type dialer interface {
	Dial(ctx context.Context, network, address string) (net.Conn, error)
}

// ask connects over TCP and gives the address that the server sees.
func ask(t *testing.T, from dialer, address string, wait time.Duration) (netip.AddrPort, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	conn, err := from.Dial(ctx, "tcp", address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 100)
	n, err := conn.Read(b)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.ParseAddrPort(string(b[:n]))
}

func TestForward(t *testing.T) {
	lab := natlab.New(t)
	stranger := lab.Host("stranger", "203.0.113.10")
	home := lab.Router("home", natlab.NAT{Public: "198.51.100.7"})
	box := home.Host("box")
	home.Forward("udp", 3478, box)
	home.ForwardRange("udp", 50000, 50010, box)
	home.Forward("tcp", 3002, box)

	from := open(t, stranger, "203.0.113.10:40000")
	for _, port := range []uint16{3478, 50000, 50010} {
		s := open(t, box, netip.AddrPortFrom(box.Addr(), port).String())
		to := netip.AddrPortFrom(home.Addr(), port)
		from.send(to, "in")
		if got := s.expect("in"); got != from.addr() {
			t.Errorf("port %d: the source became %v", port, got)
		}
		s.send(from.addr(), "out")
		if got := from.expect("out"); got != to {
			t.Errorf("port %d: the answer came from %v", port, got)
		}
	}
	closed := open(t, box, ":50011")
	from.send(netip.AddrPortFrom(home.Addr(), 50011), "in")
	closed.silent()

	serve(t, box, ":3002")
	serve(t, box, ":3003")
	got, err := ask(t, stranger, "198.51.100.7:3002", 5*time.Second)
	if err != nil || got.Addr() != stranger.Addr() {
		t.Errorf("forwarded tcp: %v, %v", got, err)
	}
	if _, err := ask(t, stranger, "198.51.100.7:3003", grace); err == nil {
		t.Error("tcp came in where nothing is forwarded")
	}
}

// TestForwardKeepsPortOutwards is what a relay behind a router needs: its port
// is the same outside, whoever speaks first.
func TestForwardKeepsPortOutwards(t *testing.T) {
	lab := natlab.New(t)
	stranger := open(t, lab.Host("stranger", "203.0.113.10"), ":40000")
	home := lab.Router("home", natlab.NAT{Public: "198.51.100.7"})
	box := home.Host("box")
	home.ForwardRange("udp", 50000, 50010, box)
	s := open(t, box, ":50005")
	s.send(netip.MustParseAddrPort("203.0.113.10:40000"), "out")
	if got := stranger.expect("out"); got != netip.MustParseAddrPort("198.51.100.7:50005") {
		t.Errorf("seen as %v", got)
	}
}

func TestForwardHairpin(t *testing.T) {
	lab := natlab.New(t)
	home := lab.Router("home", natlab.NAT{Public: "198.51.100.7", Hairpin: true})
	box, alice := home.Host("box"), home.Host("alice")
	home.Forward("tcp", 3002, box)
	serve(t, box, ":3002")
	got, err := ask(t, alice, "198.51.100.7:3002", 5*time.Second)
	if err != nil || got.Addr() != home.Addr() {
		t.Errorf("%v, %v; want the outer address", got, err)
	}
}

func TestBlock(t *testing.T) {
	lab := natlab.New(t)
	server := lab.Host("server", "203.0.113.10")
	serve(t, server, ":443")
	serve(t, server, ":80")
	remote := open(t, server, ":3478")
	home := lab.Router("home", natlab.NAT{Public: "198.51.100.7"})
	alice := home.Host("alice")
	s := open(t, alice, ":0")
	to := remote.on(server.Addr())
	check := func(udp, http bool) {
		t.Helper()
		s.send(to, "udp")
		if got := remote.hears(udp); got != udp {
			t.Errorf("udp gets through: %v, want %v", got, udp)
		}
		if _, err := ask(t, alice, "203.0.113.10:443", 5*time.Second); err != nil {
			t.Errorf("tcp 443 does not get through: %v", err)
		}
		if _, err := ask(t, alice, "203.0.113.10:80", patience(http)); (err == nil) != http {
			t.Errorf("tcp 80: %v, want it through: %v", err, http)
		}
	}
	check(true, true)
	home.BlockUDP()
	check(false, true)
	home.Unblock()
	check(true, true)
	home.OnlyTCP(443, 3002)
	check(false, false)
}

func TestCarrierGradeNAT(t *testing.T) {
	lab := natlab.New(t)
	r := newRemotes(t, lab)
	isp := lab.Router("isp", natlab.NAT{Public: "198.51.100.9", LAN: "100.64.0.0/24", Mapping: natlab.AddressAndPortDependent})
	home := isp.Router("home", natlab.NAT{})
	alice := home.Host("alice")
	if !netip.MustParsePrefix("100.64.0.0/24").Contains(home.Addr()) {
		t.Errorf("home has %v outside", home.Addr())
	}
	s := open(t, alice, ":0")
	if from := outer(s, r[0][0]); from.Addr() != isp.Addr() {
		t.Errorf("seen as %v", from)
	}
	if got := mapping(s, r); got != natlab.AddressAndPortDependent {
		t.Errorf("mapping is %v", got)
	}
	home.Forward("udp", 5000, alice)
	isp.Forward("udp", 5000, home)
	in := open(t, alice, ":5000")
	r[0][0].send(netip.AddrPortFrom(isp.Addr(), 5000), "through both")
	in.expect("through both")
}

func TestDualStack(t *testing.T) {
	lab := natlab.New(t)
	server := lab.Host("server", "203.0.113.10", "2001:db8:1::10")
	home := lab.Router("home", natlab.NAT{Public: "198.51.100.7", Prefix6: "2001:db8:7::/64"})
	alice := home.Host("alice")
	remote, s := open(t, server, ":3478"), open(t, alice, ":40000")

	remote.send(s.on(alice.Addr6()), "unasked")
	s.silent()
	s.send(remote.on(server.Addr6()), "out")
	if got := remote.expect("out"); got != s.on(alice.Addr6()) {
		t.Errorf("seen as %v, want %v as it is", got, alice.Addr6())
	}
	remote.send(s.on(alice.Addr6()), "in")
	s.expect("in")
	s.send(remote.on(server.Addr()), "out by IPv4")
	if got := remote.expect("out by IPv4"); got != netip.MustParseAddrPort("198.51.100.7:40000") {
		t.Errorf("seen as %v", got)
	}

	home.Forward("udp", 3478, alice)
	opened := open(t, alice, ":3478")
	remote.send(opened.on(alice.Addr6()), "in by IPv6")
	opened.expect("in by IPv6")
}

func TestPublicHosts(t *testing.T) {
	lab := natlab.New(t)
	a, b := lab.Host("a", "203.0.113.10"), lab.Host("b", "203.0.113.11")
	from, to := open(t, a, ":1000"), open(t, b, ":2000")
	from.send(to.on(b.Addr()), "hello")
	if got := to.expect("hello"); got != from.on(a.Addr()) {
		t.Errorf("seen as %v", got)
	}
}

// TestRouterIsSilent: what a router does not forward is not answered, not even
// by a refusal, whether it comes from outside or, without hairpin, from inside.
func TestRouterIsSilent(t *testing.T) {
	lab := natlab.New(t)
	home := lab.Router("home", natlab.NAT{Public: "198.51.100.7", Filtering: natlab.EndpointIndependent})
	for _, from := range []*natlab.Host{lab.Host("stranger", "203.0.113.10"), home.Host("alice")} {
		start := time.Now()
		if _, err := ask(t, from, "198.51.100.7:80", grace); err == nil || time.Since(start) < grace {
			t.Errorf("%s has an answer after %v: %v", from.Name(), time.Since(start), err)
		}
	}
}

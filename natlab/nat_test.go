package natlab_test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"icebox/natlab"
)

// grace is how long a packet that must not come is waited for.
const grace = 150 * time.Millisecond

// socket is a UDP socket in a lab.
type socket struct {
	t *testing.T
	net.PacketConn
}

type node interface {
	ListenPacket(network, address string) (net.PacketConn, error)
}

// open opens a UDP socket of a node, closed with the test.
func open(t *testing.T, n node, address string) socket {
	t.Helper()
	conn, err := n.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return socket{t, conn}
}

func (s socket) addr() netip.AddrPort { return s.LocalAddr().(*net.UDPAddr).AddrPort() }

// on gives the address that the socket has on a node with one address.
func (s socket) on(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, s.addr().Port()) }

func (s socket) send(to netip.AddrPort, text string) {
	s.t.Helper()
	if _, err := s.WriteTo([]byte(text), net.UDPAddrFromAddrPort(to)); err != nil {
		s.t.Fatalf("sending to %v: %v", to, err)
	}
}

// read waits for one packet.
func (s socket) read(wait time.Duration) (text string, from netip.AddrPort, ok bool) {
	s.t.Helper()
	s.SetReadDeadline(time.Now().Add(wait))
	b := make([]byte, 1500)
	n, addr, err := s.ReadFrom(b)
	if err != nil {
		return "", netip.AddrPort{}, false
	}
	ap := addr.(*net.UDPAddr).AddrPort()
	return string(b[:n]), netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), true
}

// expect waits for this packet and gives its source.
func (s socket) expect(want string) netip.AddrPort {
	s.t.Helper()
	text, from, ok := s.read(5 * time.Second)
	if !ok || text != want {
		s.t.Fatalf("got %q (%v) from %v, want %q", text, ok, from, want)
	}
	return from
}

// silent makes sure that nothing comes.
func (s socket) silent() {
	s.t.Helper()
	if text, from, ok := s.read(grace); ok {
		s.t.Fatalf("got %q from %v, want nothing", text, from)
	}
}

// hears reports whether a packet comes; want only says how long to wait for one.
func (s socket) hears(want bool) bool {
	s.t.Helper()
	_, _, ok := s.read(patience(want))
	return ok
}

// patience is how long to wait for what should come, or should not.
func patience(want bool) time.Duration {
	if want {
		return 5 * time.Second
	}
	return grace
}

// remotes are two hosts with two sockets each.
type remotes [2][2]socket

func newRemotes(t *testing.T, lab *natlab.Lab) (r remotes) {
	t.Helper()
	for i := range r {
		h := lab.Host(fmt.Sprintf("remote%d", i), fmt.Sprintf("203.0.113.%d", 10+i))
		for j := range r[i] {
			r[i][j] = open(t, h, fmt.Sprintf("%s:%d", h.Addr(), 3478+j))
		}
	}
	return r
}

// outer lets the socket send to one remote and gives the source that it sees.
func outer(s, remote socket) netip.AddrPort {
	s.t.Helper()
	s.send(remote.addr(), "map")
	return remote.expect("map")
}

// mapping classifies the NAT before a socket by the sources that the remotes see.
func mapping(s socket, r remotes) natlab.Behavior {
	s.t.Helper()
	var seen [2][2]netip.AddrPort
	for i := range r {
		for j := range r[i] {
			seen[i][j] = outer(s, r[i][j])
		}
	}
	switch {
	case seen[0][0] == seen[0][1] && seen[0][0] == seen[1][0] && seen[1][0] == seen[1][1]:
		return natlab.EndpointIndependent
	case seen[0][0] == seen[0][1] && seen[1][0] == seen[1][1]:
		return natlab.AddressDependent
	case seen[0][0] != seen[0][1] && seen[1][0] != seen[1][1] && seen[0][0] != seen[1][0]:
		return natlab.AddressAndPortDependent
	default:
		s.t.Fatalf("sources without a system: %v", seen)
		return 0
	}
}

// filtering classifies the NAT before a fresh socket by the remotes that get
// through to it after it has sent to one.
func filtering(s socket, r remotes) natlab.Behavior {
	s.t.Helper()
	to := outer(s, r[0][0])
	r[1][0].send(to, "other address")
	r[0][1].send(to, "other port")
	r[0][0].send(to, "asked")
	got := make(map[string]bool)
	for {
		text, _, ok := s.read(patience(!got["asked"]))
		if !ok {
			break
		}
		got[text] = true
	}
	if !got["asked"] {
		s.t.Fatalf("the one who was asked does not get through, only %v", got)
	}
	switch {
	case got["other address"] && got["other port"]:
		return natlab.EndpointIndependent
	case got["other address"]:
		s.t.Fatal("another address gets through, and another port does not")
		return 0
	case got["other port"]:
		return natlab.AddressDependent
	default:
		return natlab.AddressAndPortDependent
	}
}

func TestMappingAndFiltering(t *testing.T) {
	behaviors := []natlab.Behavior{
		natlab.EndpointIndependent, natlab.AddressDependent, natlab.AddressAndPortDependent,
	}
	for _, m := range behaviors {
		for _, f := range behaviors {
			t.Run(fmt.Sprintf("%v mapping, %v filtering", m, f), func(t *testing.T) {
				lab := natlab.New(t)
				r := newRemotes(t, lab)
				home := lab.Router("home", natlab.NAT{Public: "198.51.100.7", Mapping: m, Filtering: f})
				alice := home.Host("alice")
				// Two rounds: the second on a NAT that has mappings already.
				for range 2 {
					if got := mapping(open(t, alice, ":0"), r); got != m {
						t.Errorf("mapping is %v", got)
					}
					if got := filtering(open(t, alice, ":0"), r); got != f {
						t.Errorf("filtering is %v", got)
					}
				}
			})
		}
	}
}

func TestDefaultIsAUsualHomeRouter(t *testing.T) {
	lab := natlab.New(t)
	r := newRemotes(t, lab)
	alice := lab.Router("home", natlab.NAT{Public: "198.51.100.7"}).Host("alice")
	if got := mapping(open(t, alice, ":0"), r); got != natlab.EndpointIndependent {
		t.Errorf("mapping is %v", got)
	}
	if got := filtering(open(t, alice, ":0"), r); got != natlab.AddressAndPortDependent {
		t.Errorf("filtering is %v", got)
	}
}

func TestPortOfMapping(t *testing.T) {
	for _, test := range []struct {
		name string
		nat  natlab.NAT
		kept bool
	}{
		{"kept", natlab.NAT{}, true},
		{"new", natlab.NAT{NewPort: true}, false},
		{"address-dependent", natlab.NAT{Mapping: natlab.AddressDependent}, false},
		{"address-and-port-dependent", natlab.NAT{Mapping: natlab.AddressAndPortDependent}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			lab := natlab.New(t)
			r := newRemotes(t, lab)
			test.nat.Public = "198.51.100.7"
			alice := lab.Router("home", test.nat).Host("alice")
			s := open(t, alice, ":40123")
			from := outer(s, r[0][0])
			if from.Addr() != netip.MustParseAddr(test.nat.Public) {
				t.Errorf("seen as %v", from)
			}
			if kept := from.Port() == 40123; kept != test.kept {
				t.Errorf("seen as %v, kept %v, want %v", from, kept, test.kept)
			}
			if test.nat.NewPort {
				if got := mapping(s, r); got != natlab.EndpointIndependent {
					t.Errorf("mapping is %v", got)
				}
			}
		})
	}
}

func TestTwoHostsOfOneRouterOnOnePort(t *testing.T) {
	lab := natlab.New(t)
	r := newRemotes(t, lab)
	home := lab.Router("home", natlab.NAT{Public: "198.51.100.7"})
	alice, bob := open(t, home.Host("alice"), ":40123"), open(t, home.Host("bob"), ":40123")
	a, b := outer(alice, r[0][0]), outer(bob, r[0][0])
	if a == b {
		t.Fatalf("both are seen as %v", a)
	}
	r[0][0].send(a, "for alice")
	alice.expect("for alice")
	r[0][0].send(b, "for bob")
	bob.expect("for bob")
}

func TestAddressDependentTellsManyRemotesApart(t *testing.T) {
	lab := natlab.New(t)
	var all []string
	for i := range 20 {
		all = append(all, fmt.Sprintf("203.0.113.%d", 100+i))
	}
	remote := open(t, lab.Host("remotes", all...), ":3478")
	alice := open(t, lab.Router("home", natlab.NAT{Public: "198.51.100.7", Mapping: natlab.AddressDependent}).Host("alice"), ":0")
	seen := make(map[netip.AddrPort]string)
	for _, a := range all {
		alice.send(netip.AddrPortFrom(netip.MustParseAddr(a), 3478), a)
		from := remote.expect(a)
		if other, same := seen[from]; same {
			t.Errorf("%s and %s both see %v", other, a, from)
		}
		seen[from] = a
	}
}

func TestHairpin(t *testing.T) {
	for _, m := range []natlab.Behavior{natlab.EndpointIndependent, natlab.AddressDependent, natlab.AddressAndPortDependent} {
		for _, f := range []natlab.Behavior{natlab.EndpointIndependent, natlab.AddressAndPortDependent} {
			t.Run(fmt.Sprintf("%v mapping, %v filtering", m, f), func(t *testing.T) {
				lab := natlab.New(t)
				r := newRemotes(t, lab)
				home := lab.Router("home", natlab.NAT{Public: "198.51.100.7", Mapping: m, Filtering: f, Hairpin: true})
				alice, bob := open(t, home.Host("alice"), ":0"), open(t, home.Host("bob"), ":0")
				a, b := outer(alice, r[0][0]), outer(bob, r[0][0])
				alice.send(b, "hello bob")
				from := bob.expect("hello bob")
				if from.Addr() != home.Addr() {
					t.Errorf("alice is seen as %v, want the outer address", from)
				}
				if m == natlab.EndpointIndependent && from != a {
					t.Errorf("alice is seen as %v inside and %v outside", from, a)
				}
				bob.send(from, "hello alice")
				if got := alice.expect("hello alice"); got != b {
					t.Errorf("bob answers as %v, want %v", got, b)
				}
			})
		}
	}
}

func TestNoHairpin(t *testing.T) {
	lab := natlab.New(t)
	r := newRemotes(t, lab)
	home := lab.Router("home", natlab.NAT{Public: "198.51.100.7", Filtering: natlab.EndpointIndependent})
	alice, bob := home.Host("alice"), home.Host("bob")
	a, b := open(t, alice, ":0"), open(t, bob, ":0")
	a.send(outer(b, r[0][0]), "hello")
	b.silent()
	a.send(b.on(bob.Addr()), "on the LAN")
	b.expect("on the LAN")
}

// TestHolePunch is what ICE does between two homes: who is early is dropped,
// and must not move the mapping of the other.
func TestHolePunch(t *testing.T) {
	for _, test := range []struct {
		a, b    natlab.NAT
		connect bool
	}{
		{natlab.NAT{}, natlab.NAT{}, true},
		{natlab.NAT{NewPort: true}, natlab.NAT{Filtering: natlab.AddressDependent}, true},
		{natlab.NAT{Mapping: natlab.AddressAndPortDependent}, natlab.NAT{Filtering: natlab.AddressDependent}, true},
		{natlab.NAT{Mapping: natlab.AddressAndPortDependent}, natlab.NAT{}, false},
		{natlab.NAT{Mapping: natlab.AddressAndPortDependent}, natlab.NAT{Mapping: natlab.AddressAndPortDependent}, false},
	} {
		name := fmt.Sprintf("%v-%v to %v-%v", test.a.Mapping, test.a.Filtering, test.b.Mapping, test.b.Filtering)
		t.Run(name, func(t *testing.T) {
			lab := natlab.New(t)
			r := newRemotes(t, lab)
			test.a.Public, test.b.Public = "198.51.100.7", "198.51.100.8"
			test.a.LAN, test.b.LAN = "192.168.1.0/24", "192.168.1.0/24" // as in real homes
			a := open(t, lab.Router("a", test.a).Host("alice"), ":0")
			b := open(t, lab.Router("b", test.b).Host("bob"), ":0")
			atA, atB := outer(a, r[0][0]), outer(b, r[0][0])
			for range 3 {
				a.send(atB, "from a")
				b.send(atA, "from b")
			}
			_, from, heard := b.read(patience(test.connect))
			if heard != test.connect {
				t.Fatalf("b hears a: %v, want %v", heard, test.connect)
			}
			if heard {
				b.send(from, "answer") // wherever it came from, as ICE does
			}
			if got := a.hears(test.connect); got != test.connect {
				t.Errorf("a hears b: %v, want %v", got, test.connect)
			}
			if test.b.Mapping == 0 {
				if again := outer(b, r[0][0]); again != atB {
					t.Errorf("the mapping moved from %v to %v", atB, again)
				}
			}
		})
	}
}

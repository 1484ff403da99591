package natlab_test

import (
	"fmt"
	"net/netip"
	"testing"

	"icebox/natlab"
)

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

// many is a host with so many addresses, and a socket of it on all of them.
func many(t *testing.T, lab *natlab.Lab, n int) (remote socket, all []netip.AddrPort) {
	t.Helper()
	var addresses []string
	for i := range n {
		a := netip.AddrFrom4([4]byte{203, 0, 113, byte(100 + i)})
		addresses = append(addresses, a.String())
		all = append(all, netip.AddrPortFrom(a, 3478))
	}
	return open(t, lab.Host("remotes", addresses...), ":3478"), all
}

// sources lets the socket send to each of many and gives what they see.
func sources(s, remote socket, all []netip.AddrPort) (seen []netip.AddrPort) {
	s.t.Helper()
	for _, a := range all {
		s.send(a, a.String())
		seen = append(seen, remote.expect(a.String()))
	}
	return seen
}

func TestAddressDependentTellsManyRemotesApart(t *testing.T) {
	lab := natlab.New(t)
	remote, all := many(t, lab, 60)
	alice := lab.Router("home", natlab.NAT{Public: "198.51.100.7", Mapping: natlab.AddressDependent}).Host("alice")
	s := open(t, alice, ":0")
	owner := make(map[netip.AddrPort]netip.AddrPort)
	for i, a := range all {
		from := sources(s, remote, all[i:i+1])[0]
		if other, same := owner[from]; same {
			t.Errorf("%v and %v both see %v", other, a, from)
		}
		owner[from] = a
		// Other sockets that speak to a remote take nothing from the next ones.
		sources(open(t, alice, ":0"), remote, all[i:i+1])
	}
}

// TestSymmetricKeepsNothing looks past the number of connections after which
// the ranges of ports are dealt out again.
func TestSymmetricKeepsNothing(t *testing.T) {
	lab := natlab.New(t)
	remote, all := many(t, lab, 74)
	alice := lab.Router("home", natlab.NAT{Public: "198.51.100.7", Mapping: natlab.AddressAndPortDependent}).Host("alice")
	seen := sources(open(t, alice, ":0"), remote, all)
	same := 0
	for i, from := range seen[64:] {
		if from == seen[i] {
			same++ // one by chance is nothing to worry about
		}
	}
	if same > 5 {
		t.Errorf("%d of %d mappings came back", same, len(seen)-64)
	}
}

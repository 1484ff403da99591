package natlab_test

import (
	"fmt"
	"testing"

	"icebox/natlab"
)

func TestHairpin(t *testing.T) {
	for _, m := range []natlab.Behavior{natlab.EndpointIndependent, natlab.AddressDependent, natlab.AddressAndPortDependent} {
		for _, f := range []natlab.Behavior{natlab.EndpointIndependent, natlab.AddressAndPortDependent} {
			t.Run(fmt.Sprintf("%v mapping, %v filtering", m, f), func(t *testing.T) {
				lab := natlab.New(t)
				r := newRemotes(t, lab)
				home := lab.Router("home", natlab.NAT{Public: "198.51.100.7", Mapping: m, Filtering: f, Hairpin: true})
				alice, bob, carl := open(t, home.Host("alice"), ":0"), open(t, home.Host("bob"), ":0"), home.Host("carl")
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
				if f == natlab.EndpointIndependent {
					inner := open(t, carl, ":0")
					inner.send(a, "from a mapping of this way")
					r[1][1].send(alice.expect("from a mapping of this way"), "answer")
					inner.expect("answer")
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

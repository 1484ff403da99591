package natlab_test

import (
	"net/netip"
	"os"
	"testing"

	"icebox/natlab"
)

// TestWire lets the internet forward nothing any more: only a wire of their own
// still joins two hosts. A host can have several, with one address.
func TestWire(t *testing.T) {
	lab := natlab.New(t)
	left := lab.Host("left", "203.0.113.10", "2001:db8:1::10")
	box := lab.Host("box", "198.51.100.10", "2001:db8:2::10")
	right := lab.Host("right", "192.0.2.10", "2001:db8:3::10")
	lab.Wire(left, box)
	lab.Wire(box, right)
	l, b, r := open(t, left, ":40000"), open(t, box, ":40000"), open(t, right, ":40000")
	l.send(r.on(right.Addr()), "by the internet")
	r.expect("by the internet")

	closeInternet(t, lab)
	l.send(r.on(right.Addr()), "nowhere")
	r.silent()
	for _, end := range []struct {
		socket
		host *natlab.Host
	}{{l, left}, {r, right}} {
		for _, pair := range [][2]netip.Addr{{end.host.Addr(), box.Addr()}, {end.host.Addr6(), box.Addr6()}} {
			end.send(b.on(pair[1]), "to the box")
			if got := b.expect("to the box"); got != end.on(pair[0]) {
				t.Errorf("%s is seen as %v, want %v", end.host.Name(), got, pair[0])
			}
			b.send(end.on(pair[0]), "and back")
			if got := end.expect("and back"); got != b.on(pair[1]) {
				t.Errorf("the box is seen by %s as %v, want %v", end.host.Name(), got, pair[1])
			}
		}
	}
}

// closeInternet makes the router in the middle forward nothing.
func closeInternet(t *testing.T, lab *natlab.Lab) {
	t.Helper()
	err := lab.Internet().Do(func() error {
		for _, name := range []string{"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"} {
			if err := os.WriteFile("/proc/sys/"+name, []byte("0"), 0); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

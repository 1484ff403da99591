package batch

import (
	"net/netip"
	"os"
	"testing"
)

// TestSenderInARow: what one datagram says of its sender is not believed of the next.
func TestSenderInARow(t *testing.T) {
	r := newRig(t, 1, false)
	w := r.engine.workers[0]
	const one, two = "192.0.2.1:1000", "192.0.2.2:1000"
	const six, seven = "[2001:db8::6]:1000", "[2001:db8::7]:1000"
	for _, c := range []struct {
		wildcard bool
		row      [][2]string // clients and what they asked
	}{
		{false, [][2]string{{one}, {one}, {two}, {"192.0.2.1:1001"}, {one}, {six}, {seven}, {seven}, {"[2001:db8::7]:1001"}, {one}}},
		{true, [][2]string{{one, "9.9.9.9"}, {one, "8.8.8.8"}, {one, "8.8.8.8"}, {two, "8.8.8.8"}, {six, "2001:db8::9"}, {six, "2001:db8::8"}}},
	} {
		s := &socket{listener: &Listener{wildcard: c.wildcard}}
		for _, ends := range c.row { // each has a flow of its own
			r.engine.Add(0, s.listener, tupleOf(ends), ends)
		}
		w.obey()
		d := &Datagram{worker: w, socket: s}
		for _, ends := range c.row {
			want := tupleOf(ends)
			var from sockaddr
			from.set(want.Client, want.Client.Addr().Is6())
			d.from(&from, &control{local: want.Local.Addr().As16()})
			if d.Flow != ends || d.Tuple().Client != want.Client || c.wildcard && d.Tuple().Local != want.Local {
				t.Errorf("%v is taken for %v with %v", ends, d.Tuple(), d.Flow)
			}
		}
	}
}

func tupleOf(ends [2]string) Tuple {
	t := Tuple{Client: netip.MustParseAddrPort(ends[0]), Local: netip.AddrPortFrom(netip.IPv6Unspecified(), 0)}
	if ends[1] != "" {
		t.Local = netip.AddrPortFrom(netip.MustParseAddr(ends[1]), 0)
	}
	return t
}

// TestTwoListeners: what came to one is on its way as it was when another is read.
func TestTwoListeners(t *testing.T) {
	r := newRig(t, 1, true)
	file, second := openSocket(t, "127.0.0.1:0", true)
	if _, err := r.engine.Listen([]*os.File{file}, false); err != nil {
		t.Fatal(err)
	}
	peer := r.openPeer(t)
	dialUDP(t, r.address).Write(packet(0, 100))
	dialUDP(t, second).Write(packet(1, 100))
	r.engine.Start() // and both are there
	wantPackets(t, peer, []int{100, 100})
}

// ignore is a Handler that lets nothing of clients pass.
type ignore struct{ passOn }

func (*ignore) FromClient(*Datagram) {}

// BenchmarkHandle is what a datagram costs between the system call and the Handler:
// one of another sender than the one before, and one of the same.
func BenchmarkHandle(b *testing.B) {
	for name, run := range map[string]int{"another": 1, "same": 16} {
		b.Run(name, func(b *testing.B) {
			r := newRig(b, 1, false)
			w := r.engine.workers[0]
			w.handler = new(ignore)
			s := w.sockets[0]
			for i := range w.senders {
				client := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(1000+i/run))
				w.senders[i].set(client, false)
				w.inbox[i].length = 176
				r.engine.Add(0, r.listener, Tuple{client, s.local}, "a flow")
			}
			w.obey()
			w.datagram = Datagram{worker: w, socket: s}
			for i := 0; b.Loop(); i++ {
				at := i % len(w.inbox)
				w.inbox[at].header.SetControllen(0)
				w.handle(s, at)
			}
		})
	}
}

package turnserver

import (
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
)

// TestRelayBindsTo: relay sockets leave the choice to the kernel only where the
// relay address is not one that this host can send from.
func TestRelayBindsTo(t *testing.T) {
	addr := func(s string) netip.Addr { a, _ := netip.ParseAddr(s); return a }
	local := func(a netip.Addr) bool {
		return a == addr("198.51.100.11") || a == addr("2001:db8::11") || a.IsLoopback()
	}
	for _, test := range []struct{ configured, relay, want string }{
		{"", "198.51.100.11", "198.51.100.11"},
		{"", "2001:db8::11", "2001:db8::11"},
		{"", "203.0.113.7", "0.0.0.0"}, // that of the router in front
		{"", "127.0.0.1", "0.0.0.0"},   // which reaches nobody but this host
		{"192.168.1.10", "198.51.100.11", "192.168.1.10"},
		{"192.168.1.10", "2001:db8::11", "2001:db8::11"},
		{"192.168.1.10", "2001:db8::7", "::"},
	} {
		set := newRelaySet(nil, addr(test.configured), local, 50000, 50001)
		if got := set.bindTo(addr(test.relay)); got != addr(test.want) {
			t.Errorf("turn.relay.address %q, relay address %s: binds to %v, want %q", test.configured, test.relay, got, test.want)
		}
	}
}

// losing is a path on a host that has just lost an address.
type losing struct {
	path
	gone  netip.Addr
	binds []netip.Addr
}

func (l *losing) open(_ *session, _, bind netip.AddrPort, _ func()) (*relay, error) {
	l.binds = append(l.binds, bind.Addr())
	if bind.Addr() == l.gone {
		return nil, os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)
	}
	return new(relay), nil
}

// TestLostAddress: a relay of an address that the host has just lost is bound to none,
// but for one that is configured.
func TestLostAddress(t *testing.T) {
	lost, any := netip.MustParseAddr("192.0.2.1"), netip.IPv4Unspecified()
	one := func(p *ports) (uint16, bool, bool) { port, ok := p.take(); return port, false, ok }
	l := &losing{gone: lost}
	set := newRelaySet(l, netip.Addr{}, func(netip.Addr) bool { return true }, 50000, 50001)
	if _, err := set.open(nil, lost, one); err != nil || !slices.Equal(l.binds, []netip.Addr{lost, any}) {
		t.Errorf("bound to %v, error %v", l.binds, err)
	}
	l = &losing{gone: lost}
	set = newRelaySet(l, lost, func(netip.Addr) bool { return true }, 50000, 50001)
	if _, err := set.open(nil, lost, one); err == nil || !slices.Equal(l.binds, []netip.Addr{lost}) {
		t.Errorf("configured, bound to %v, error %v", l.binds, err)
	}
}

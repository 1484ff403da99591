//go:build linux

package conformance

import (
	"net/netip"
	"testing"
	"time"
)

// TestQuotas goes to the caps and back, over and over: what was counted has to
// be counted down.
func TestQuotas(t *testing.T) {
	w := newWorld(t)
	b := start(t, w.box, setup{allow: peerRanges, relay: "50000-50199", limits: `allocations: 60, allocations_per_user: 40,
    permissions: 8, channels: 4, connections: 100, connections_per_address: 20, unauthenticated: {rate: 100000, burst: 100000}`})
	s := &scene{world: w, box: b, transport: udp}
	before, ports := b.vitals(t), b.metric(t, "icebox_turn_relay_ports_free")
	for range 5 {
		t.Run("allocations", func(t *testing.T) { fillAllocations(t, s) })
		t.Run("permissions and channels", func(t *testing.T) { fillSession(t, s) })
		t.Run("connections", func(t *testing.T) { fillConnections(t, s.over(tcp)) })
	}
	for _, tr := range []transport{udp, tcp} {
		t.Run("sessions in a row over "+tr.name, func(t *testing.T) { cycle(t, s.over(tr), 400) })
	}
	b.wantUnhurt(t, w, before)
	eventually(t, "every port is free again", func() bool { return b.metric(t, "icebox_turn_relay_ports_free") == ports })
	if n := b.metric(t, "icebox_turn_sessions"); n != 0 {
		t.Errorf("%v sessions are left", n)
	}
}

// fillAllocations reaches the quota of one user, and then that of the box.
func fillAllocations(t *testing.T, s *scene) {
	fill := func(u user, n int) *client {
		for range n {
			c := s.login(t)
			c.user = u
			c.allocate()
		}
		c := s.login(t)
		c.user = u
		return c
	}
	extra := fill(alice, 40)
	extra.wantRefused(extra.call(allocate, transportUDP()), 486)
	extra = fill(bob, 20)
	if a := extra.call(allocate, transportUDP()); a.code() != 486 && a.code() != 508 {
		t.Errorf("over the limit of the box: %v", a)
	}
}

func fillSession(t *testing.T, s *scene) {
	peer := func(i int) part {
		return peerAddress(netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(10 + i)}), 9))
	}
	t.Run("permissions", func(t *testing.T) {
		c, _ := s.allocated(t)
		for i := range 8 {
			c.must(createPermission, peer(i))
		}
		c.wantRefused(c.call(createPermission, peer(8)), 508)
		c.wantRefused(c.call(createPermission, peer(0), peer(9)), 508)
		c.must(createPermission, peer(0)) // what is there can be refreshed
	})
	t.Run("channels", func(t *testing.T) {
		c, _ := s.allocated(t)
		for i := range 4 {
			c.must(channelBind, channelNumber(0x4000+uint16(i)), peer(i))
		}
		c.wantRefused(c.call(channelBind, channelNumber(0x4004), peer(4)), 508)
		c.must(channelBind, channelNumber(0x4000), peer(0))
	})
}

// fillConnections: those over the limit are closed, those under it work.
func fillConnections(t *testing.T, s *scene) {
	from := s.fresh(t, false)
	var open []*client
	for range 30 {
		open = append(open, s.dialFrom(t, from))
	}
	served := 0
	for _, c := range open {
		m := build(binding, request)
		if c.send(m.raw) == nil && c.answerTo(m.id, time.Second) != nil {
			served++
		}
	}
	if served != 20 {
		t.Errorf("%d of 30 connections of one address are served, the limit is 20", served)
	}
	s.dialFresh(t).alive() // another address
}

// cycle begins and ends one session after another on one 5-tuple.
func cycle(t *testing.T, s *scene, n int) {
	c := s.login(t)
	p := s.peer(t)
	for range n {
		c.allocate()
		c.permit(p)
		c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
		c.must(refresh, lifetime(0))
	}
}

// TestBandwidth: over the limit of a user packets are dropped, and counted.
func TestBandwidth(t *testing.T) {
	w := newWorld(t)
	b := start(t, w.box, setup{allow: peerRanges, limits: "bandwidth_per_user: 50000"})
	s := &scene{world: w, box: b, transport: udp}
	c, _, p := s.relayed(t)
	const packets, size = 400, 1000
	began := time.Now()
	for range packets {
		c.sendIndication(p.addr, noise(size))
		time.Sleep(time.Millisecond)
	}
	got, bytes := p.count()
	allowed := 50000*time.Since(began).Seconds() + 100_000 // and what may come at once
	if got == 0 || float64(bytes) > allowed {
		t.Errorf("%d bytes in %d packets came through in %v, want at most %.0f", bytes, got, time.Since(began), allowed)
	}
	if dropped := b.metric(t, "icebox_turn_dropped_packets_total"); int(dropped) != packets-got {
		t.Errorf("%v drops were counted, %d packets are missing", dropped, packets-got)
	}
}

// TestPortZeroIsCounted: nothing can be sent to it. A permission has no port.
func TestPortZeroIsCounted(t *testing.T) {
	w := newWorld(t)
	b := start(t, w.box, setup{allow: peerRanges})
	s := &scene{world: w, box: b, transport: udp}
	c, relay, p := s.relayed(t)
	nobody := netip.AddrPortFrom(p.addr.Addr(), 0)
	c.must(createPermission, peerAddress(nobody))
	for range 3 {
		c.sendIndication(nobody, mark("to nobody"))
	}
	c.wantRelayed(relay, p)
	if n := b.metric(t, "icebox_turn_dropped_packets_total"); n != 3 {
		t.Errorf("%v drops were counted, want 3", n)
	}
}

// TestTooBigIsCounted: a packet that the client's transport can't carry is not
// lost without a trace.
func TestTooBigIsCounted(t *testing.T) {
	w := newWorld(t)
	b := start(t, w.box, setup{allow: peerRanges})
	s := &scene{world: w, box: b, transport: udp}
	c, relay, p := s.relayed(t)
	p.sendTo(relay, noise(65507))
	c.wantNoData()
	if n := b.metric(t, "icebox_turn_dropped_packets_total"); n != 1 {
		t.Errorf("%v drops were counted, want 1", n)
	}
}

// TestOutOfDescriptors takes every descriptor of the box, and gives them back.
func TestOutOfDescriptors(t *testing.T) {
	w := newWorld(t)
	b := startUnder(t, w.box, setup{allow: peerRanges}, "prlimit", "--nofile=64:64")
	s := &scene{world: w, box: b, transport: udp}
	before := b.vitals(t)
	t.Run("while they are gone", func(t *testing.T) {
		mine, relay, p := s.relayed(t)
		streams := s.over(tcp)
		for range 100 {
			streams.dial(t)
		}
		late := streams.dial(t)
		m := build(binding, request)
		late.write(m.raw)
		if late.answerTo(m.id, quiet) != nil {
			t.Errorf("the box has %d descriptors and is not out of them", b.descriptors(t))
		}
		c := s.login(t)
		if a := c.call(allocate, transportUDP()); a.code() != 508 {
			t.Errorf("Allocate without a descriptor: want 508, got %v", a)
		}
		mine.live()
		mine.wantRelayed(relay, p)
	})
	b.wantUnhurt(t, w, before)
}

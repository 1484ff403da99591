//go:build linux

package conformance

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"
)

var allocateRules = []rule{
	{15, "8656 §7.2, §7.3", "RELAYED, MAPPED, LIFETIME", checkAllocation, ""},
	{16, "8656 §7.2", "no REQUESTED-TRANSPORT 400; not UDP 442", checkTransport, ""},
	{17, "8656 §7.2", "second on a 5-tuple 437; retransmission the same success", checkSecond, ""},
	{18, "8656 §7.2", "EVEN-PORT even; with R the next port is held for the token", checkEvenPort, "a token ends after 30 s"},
	{19, "8656 §7.2", "EVEN-PORT or family with RESERVATION-TOKEN 400; unknown token 508", checkToken, ""},
	{20, "8656 §7.2", "REQUESTED- and ADDITIONAL-ADDRESS-FAMILY, else 440", checkFamilies, ""},
	{21, "8656 §7.2", "DONT-FRAGMENT honoured, or 420", checkDontFragment, ""},
	{22, "8656 §7.2", "LIFETIME between 600 and 3600", checkLifetime, "expiry"},
	{23, "8656 §7.2", "quota 486; no port 508", checkQuota, ""},
}

func checkAllocation(t *testing.T, s *scene) {
	c := s.login(t)
	a := c.must(allocate, transportUDP())
	if got := a.address(attrXORMappedAddress); got != c.local() {
		t.Errorf("XOR-MAPPED-ADDRESS %v, this client is %v", got, c.local())
	}
	relay := a.address(attrRelayedAddress)
	if relay.Addr() != s.world.box.Addr() || relay.Port() < 50000 || relay.Port() > 54999 {
		t.Errorf("XOR-RELAYED-ADDRESS %v, want %v with a port of turn.relay.ports", relay, s.world.box.Addr())
	}
	if got := a.number(attrLifetime); got != 600 {
		t.Errorf("LIFETIME %d, want 600", got)
	}
	if a.has(attrReservationToken) || a.has(attrMappedAddress) {
		t.Errorf("nobody asked for all of %v", a)
	}
	p := s.peer(t)
	c.permit(p)
	c.wantRelayed(relay, p)
}

func checkTransport(t *testing.T, s *scene) {
	c := s.login(t)
	c.wantRefused(c.call(allocate), 400)
	c.wantRefused(c.call(allocate, attr(attrRequestedTransport)), 400)
	c.wantRefused(c.call(allocate, attr(attrRequestedTransport, protoUDP)), 400)
	c.wantRefused(c.call(allocate, attr(attrRequestedTransport, protoUDP, 0, 0, 0, 0)), 400)
	for _, proto := range []byte{0, 1, protoTCP, 132, 255} {
		c.wantRefused(c.call(allocate, attr(attrRequestedTransport, proto, 0, 0, 0)), 442)
	}
	c.wantRefused(c.call(refresh), 437)
	c.allocate(attr(attrRequestedTransport, protoUDP, 1, 2, 3)) // RFFU is ignored
}

func checkSecond(t *testing.T, s *scene) {
	t.Run("another transaction", func(t *testing.T) {
		c, relay, p := s.relayed(t)
		c.wantRefused(c.call(allocate, transportUDP()), 437)
		c.wantRefused(c.call(allocate, transportUDP(), lifetime(0)), 437)
		c.wantRelayed(relay, p)
	})
	t.Run("another 5-tuple", func(t *testing.T) {
		_, first := s.allocated(t)
		if _, second := s.allocated(t); first == second {
			t.Errorf("two clients share the relayed address %v", first)
		}
	})
	if s.stream {
		return // no request is retransmitted on a stream
	}
	t.Run("retransmission", func(t *testing.T) {
		c := s.login(t)
		m := build(allocate, request, transportUDP(), c.signed())
		first := c.ask(m)
		c.wantSuccess(first)
		for range 3 {
			again := c.ask(m)
			c.wantSuccess(again)
			if got, want := again.address(attrRelayedAddress), first.address(attrRelayedAddress); got != want {
				t.Errorf("the retransmission has %v, the first answer %v", got, want)
			}
			if got := again.number(attrLifetime); got < 590 || got > 600 {
				t.Errorf("the retransmission has LIFETIME %d", got)
			}
		}
	})
	t.Run("two at once", func(t *testing.T) {
		c := s.login(t)
		m := build(allocate, request, transportUDP(), c.signed())
		c.write(m.raw)
		first, second := c.ask(m), c.answerTo(m.id, patience)
		if second == nil || first.address(attrRelayedAddress) != second.address(attrRelayedAddress) {
			t.Errorf("the same request twice in a row: %v and %v", first, second)
		}
	})
}

func checkEvenPort(t *testing.T, s *scene) {
	t.Run("even", func(t *testing.T) {
		for range 4 {
			c := s.login(t)
			a := c.must(allocate, transportUDP(), evenPort(false))
			if port := a.address(attrRelayedAddress).Port(); port%2 != 0 || a.has(attrReservationToken) {
				t.Errorf("EVEN-PORT without R: %v, port %d", a, port)
			}
		}
	})
	t.Run("the next port for the token", func(t *testing.T) {
		first := s.login(t)
		a := first.must(allocate, transportUDP(), evenPort(true))
		even, tok := a.address(attrRelayedAddress), a.value(attrReservationToken)
		if even.Port()%2 != 0 || len(tok) != 8 {
			t.Fatalf("port %d, token %x", even.Port(), tok)
		}
		second := s.login(t)
		odd := second.allocate(token(tok))
		if want := netip.AddrPortFrom(even.Addr(), even.Port()+1); odd != want {
			t.Errorf("the token gave %v, want %v", odd, want)
		}
		p := s.peer(t)
		second.permit(p)
		second.wantRelayed(odd, p)
		third := s.login(t)
		third.wantRefused(third.call(allocate, transportUDP(), token(tok)), 508)
	})
	t.Run("held where ports are few", func(t *testing.T) {
		few := s.narrowly(t)
		first := few.login(t)
		a := first.must(allocate, transportUDP(), evenPort(true))
		reserved := a.address(attrRelayedAddress).Port() + 1
		for range 2 {
			c := few.login(t)
			c.user = bob
			if got := c.allocate().Port(); got == reserved {
				t.Errorf("the reserved port %d was given to another", got)
			}
		}
		c := few.login(t)
		c.user = bob
		c.wantRefused(c.call(allocate, transportUDP()), 508)
		last := few.login(t)
		if got := last.allocate(token(a.value(attrReservationToken))).Port(); got != reserved {
			t.Errorf("the token gave port %d, want %d", got, reserved)
		}
	})
}

func checkToken(t *testing.T, s *scene) {
	first := s.login(t)
	tok := first.must(allocate, transportUDP(), evenPort(true)).value(attrReservationToken)
	c := s.login(t)
	for name, with := range map[string]part{
		"EVEN-PORT":                 evenPort(false),
		"EVEN-PORT with R":          evenPort(true),
		"REQUESTED-ADDRESS-FAMILY":  requestedFamily(familyIPv4),
		"ADDITIONAL-ADDRESS-FAMILY": additionalFamily(familyIPv6),
	} {
		if a := c.call(allocate, transportUDP(), token(tok), with); a.code() != 400 {
			t.Errorf("%s with RESERVATION-TOKEN: want 400, got %v", name, a)
		}
	}
	c.wantRefused(c.call(allocate, transportUDP(), token(noise(8))), 508)
	c.wantRefused(c.call(allocate, transportUDP(), token(bytes.Repeat([]byte{0}, 8))), 508)
	c.must(allocate, transportUDP(), token(tok)) // which all that has not used up
}

func checkFamilies(t *testing.T, s *scene) {
	t.Run("IPv4", func(t *testing.T) {
		if _, relay := s.allocated(t, requestedFamily(familyIPv4)); !relay.Addr().Is4() {
			t.Errorf("got %v", relay)
		}
	})
	t.Run("IPv6", func(t *testing.T) {
		c, relay := s.allocated(t, requestedFamily(familyIPv6))
		if relay.Addr() != s.world.box.Addr6() {
			t.Fatalf("got %v, want %v", relay, s.world.box.Addr6())
		}
		p := s.peer6(t)
		c.permit(p)
		c.wantRelayed(relay, p)
	})
	t.Run("both", func(t *testing.T) {
		c := s.login(t)
		a := c.must(allocate, transportUDP(), additionalFamily(familyIPv6))
		relays := a.addresses(attrRelayedAddress)
		if len(relays) != 2 || relays[0].Addr().Is4() == relays[1].Addr().Is4() {
			t.Fatalf("want an IPv4 and an IPv6 relayed address, got %v in %v", relays, a)
		}
		for _, relay := range relays {
			p := s.peer(t)
			if relay.Addr().Is6() {
				p = s.peer6(t)
			}
			c.permit(p)
			c.wantRelayed(relay, p)
		}
	})
	t.Run("refused", func(t *testing.T) {
		c := s.login(t)
		for _, family := range []byte{0, 3, 255} {
			c.wantRefused(c.call(allocate, transportUDP(), requestedFamily(family)), 440)
		}
		for name, parts := range map[string][]part{
			"both attributes":  {requestedFamily(familyIPv4), additionalFamily(familyIPv6)},
			"additional IPv4":  {additionalFamily(familyIPv4)},
			"additional and R": {additionalFamily(familyIPv6), evenPort(true)},
		} {
			if a := c.call(allocate, append(parts, transportUDP())...); a.code() != 400 {
				t.Errorf("%s: want 400, got %v", name, a)
			}
		}
	})
	t.Run("without IPv6", func(t *testing.T) { checkNoIPv6(t, s.narrowly(t)) })
}

// checkNoIPv6 asks a box that has no public IPv6 address for one.
func checkNoIPv6(t *testing.T, s *scene) {
	c := s.login(t)
	c.wantRefused(c.call(allocate, transportUDP(), requestedFamily(familyIPv6)), 440)
	a := c.must(allocate, transportUDP(), additionalFamily(familyIPv6))
	if relays := a.addresses(attrRelayedAddress); len(relays) != 1 || !relays[0].Addr().Is4() {
		t.Errorf("want one IPv4 relayed address, got %v", relays)
	}
	v := a.value(attrAddressErrorCode)
	if len(v) < 4 || v[0] != familyIPv6 || int(v[2]&7)*100+int(v[3]) != 440 {
		t.Errorf("ADDRESS-ERROR-CODE %x, want IPv6 and 440 (RFC 8656 §18.12)", v)
	}
}

func checkDontFragment(t *testing.T, s *scene) {
	c := s.login(t)
	a := c.call(allocate, transportUDP(), dontFragment())
	if a.class == success {
		c.wantSuccess(a)
		return
	}
	c.wantRefused(a, 420)
	wantUnknown(t, a, attrDontFragment)
}

func checkLifetime(t *testing.T, s *scene) {
	for _, test := range []struct{ asked, granted int64 }{
		{-1, 600}, {0, 600}, {1, 600}, {599, 600}, {600, 600}, {601, 601}, {1800, 1800},
		{3599, 3599}, {3600, 3600}, {3601, 3600}, {86400, 3600}, {0xFFFFFFFF, 3600},
	} {
		t.Run(fmt.Sprint(test.asked), func(t *testing.T) {
			var parts []part
			if test.asked >= 0 {
				parts = []part{lifetime(uint32(test.asked))}
			}
			c := s.login(t)
			a := c.must(allocate, append(parts, transportUDP())...)
			if got := int64(a.number(attrLifetime)); got != test.granted {
				t.Errorf("Allocate: asked %d, granted %d, want %d", test.asked, got, test.granted)
			}
			if test.asked == 0 {
				return // which ends it in a Refresh: rule 24
			}
			if got := int64(c.must(refresh, parts...).number(attrLifetime)); got != test.granted {
				t.Errorf("Refresh: asked %d, granted %d, want %d", test.asked, got, test.granted)
			}
		})
	}
	t.Run("malformed", func(t *testing.T) {
		c := s.login(t)
		c.wantRefused(c.call(allocate, transportUDP(), attr(attrLifetime, 1, 2)), 400)
	})
}

func checkQuota(t *testing.T, s *scene) {
	few := s.narrowly(t)
	as := func(u user) *client {
		c := few.login(t)
		c.user = u
		return c
	}
	mine := []*client{as(alice), as(alice), as(alice)}
	for _, c := range mine {
		c.allocate()
	}
	extra := as(alice)
	extra.wantRefused(extra.call(allocate, transportUDP()), 486)
	as(bob).allocate() // the last port, and another user's quota
	another := as(bob)
	another.wantRefused(another.call(allocate, transportUDP()), 508)
	mine[0].must(refresh, lifetime(0))
	extra.allocate() // quota and port are back at once
	another.wantRefused(another.call(allocate, transportUDP()), 508)
}

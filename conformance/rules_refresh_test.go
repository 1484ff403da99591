//go:build linux

package conformance

import (
	"testing"
)

var refreshRules = []rule{
	{24, "8656 §8.2", "Refresh extends; 0 ends at once and frees the 5-tuple", checkRefresh, "expiry"},
	{25, "8656 §5", "Refresh of no allocation: 437", checkRefreshNothing, ""},
	{26, "8656 §8.2", "REQUESTED-ADDRESS-FAMILY differs: 443", checkRefreshFamily, ""},
}

func checkRefresh(t *testing.T, s *scene) {
	t.Run("extends", func(t *testing.T) {
		c, relay, p := s.relayed(t)
		if got := c.must(refresh).number(attrLifetime); got != 600 {
			t.Errorf("LIFETIME %d, want 600", got)
		}
		if got := c.must(refresh, lifetime(1234)).number(attrLifetime); got != 1234 {
			t.Errorf("LIFETIME %d, want 1234", got)
		}
		c.wantRelayed(relay, p)
	})
	t.Run("0 ends", func(t *testing.T) {
		c, relay, p := s.relayed(t)
		c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
		c.wantBound(relay, p, 0x4000)
		if got := c.must(refresh, lifetime(0)).number(attrLifetime); got != 0 {
			t.Errorf("LIFETIME %d, want 0", got)
		}
		c.wantCutOff(relay, p)
		c.write(channelData(0x4000, mark("up"), true))
		p.wantNothing(t)
		c.wantRefused(c.call(createPermission, peerAddress(p.addr)), 437)
		// The 5-tuple is free, and nothing of the old session is in the new one.
		renewed := c.allocate()
		c.wantCutOff(renewed, p)
		c.write(channelData(0x4000, mark("up"), true))
		p.wantNothing(t)
	})
	t.Run("0 again", func(t *testing.T) {
		c, _ := s.allocated(t)
		m := build(refresh, request, lifetime(0), c.signed())
		c.wantSuccess(c.ask(m))
		// A retransmission finds no allocation. Both answers tell the client
		// that it is gone (RFC 8656 §8.3).
		if a := c.ask(m); a.class != success && a.code() != 437 {
			t.Errorf("Refresh 0 retransmitted: %v", a)
		}
	})
	t.Run("no new allocation is lost", func(t *testing.T) {
		c := s.login(t)
		p := s.peer(t)
		for i := range 40 {
			relay := c.allocate()
			c.permit(p)
			if i%8 == 0 {
				c.wantRelayed(relay, p)
			}
			c.live()
			c.must(refresh, lifetime(0))
		}
	})
}

func checkRefreshNothing(t *testing.T, s *scene) {
	c := s.login(t)
	c.wantRefused(c.call(refresh), 437)
	c.wantRefused(c.call(refresh, lifetime(0)), 437)
	c.wantRefused(c.call(refresh, requestedFamily(familyIPv4)), 437)
}

func checkRefreshFamily(t *testing.T, s *scene) {
	t.Run("of an IPv4 allocation", func(t *testing.T) {
		c, _ := s.allocated(t)
		c.wantRefused(c.call(refresh, requestedFamily(familyIPv6)), 443)
		c.wantRefused(c.call(refresh, requestedFamily(familyIPv6), lifetime(0)), 443)
		c.must(refresh, requestedFamily(familyIPv4))
	})
	t.Run("of an IPv6 allocation", func(t *testing.T) {
		c, _ := s.allocated(t, requestedFamily(familyIPv6))
		c.wantRefused(c.call(refresh, requestedFamily(familyIPv4)), 443)
		c.must(refresh, requestedFamily(familyIPv6))
		c.must(refresh)
	})
	t.Run("one of both ends", func(t *testing.T) {
		c := s.login(t)
		relays := c.must(allocate, transportUDP(), additionalFamily(familyIPv6)).addresses(attrRelayedAddress)
		if len(relays) != 2 {
			t.Fatalf("relayed addresses %v", relays)
		}
		four, six := relays[0], relays[1]
		if four.Addr().Is6() {
			four, six = six, four
		}
		p4, p6 := s.peer(t), s.peer6(t)
		c.permit(p4, p6)
		c.must(refresh, requestedFamily(familyIPv6), lifetime(0))
		c.wantRelayed(four, p4)
		c.wantCutOff(six, p6)
		c.wantRefused(c.call(createPermission, peerAddress(p6.addr)), 443)
		c.wantRefused(c.call(refresh, requestedFamily(familyIPv6)), 443)
		c.must(refresh, requestedFamily(familyIPv4), lifetime(0))
		c.wantRefused(c.call(refresh), 437)
	})
}

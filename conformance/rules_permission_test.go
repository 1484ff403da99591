//go:build linux

package conformance

import (
	"net/netip"
	"testing"
)

var permissionRules = []rule{
	{27, "8656 §10.2", "CreatePermission: no allocation 437; no peer 400; other family 443", checkPermissionRefused, ""},
	{28, "8656 §10.2", "one forbidden peer: 403, none of the request's installed", checkPermissionForbidden, ""},
	{29, "8656 §9, §10.2", "a permission is by address, whatever the port", checkPermissionByAddress, "300 s"},
	{30, "8656 §11.2", "Send: without permission or DATA dropped; empty relayed; DONT-FRAGMENT", checkSend, ""},
	{31, "8656 §11.3", "a peer without permission is not heard", checkUnheard, ""},
}

func checkPermissionRefused(t *testing.T, s *scene) {
	c := s.login(t)
	p, p6 := s.peer(t), s.peer6(t)
	c.wantRefused(c.call(createPermission, peerAddress(p.addr)), 437)
	relay := c.allocate()
	c.wantRefused(c.call(createPermission), 400)
	c.wantRefused(c.call(createPermission, peerAddress(p6.addr)), 443)
	c.wantRefused(c.call(createPermission, peerAddress(p.addr), peerAddress(p6.addr)), 443)
	for _, value := range malformedAddresses() {
		if a := c.call(createPermission, peerAddress(p.addr), attr(attrPeerAddress, value...)); a.code() != 400 {
			t.Errorf("XOR-PEER-ADDRESS %x: want 400, got %v", value, a)
		}
	}
	c.wantCutOff(relay, p)
	c.must(createPermission, peerAddress(p.addr))
	c.wantRelayed(relay, p)
	six, _ := s.allocated(t, requestedFamily(familyIPv6))
	six.wantRefused(six.call(createPermission, peerAddress(p.addr)), 443)
}

// malformedAddresses are XOR-PEER-ADDRESS values that say nothing.
func malformedAddresses() [][]byte {
	return [][]byte{
		{}, {0}, {0, 1}, {0, 1, 2, 3}, {0, 1, 2, 3, 4, 5, 6}, {0, 1, 2, 3, 4, 5, 6, 7, 8},
		{0, 2, 2, 3, 4, 5, 6, 7}, {0, 0, 2, 3, 4, 5, 6, 7}, {0, 3, 2, 3, 4, 5, 6, 7}, make([]byte, 20),
	}
}

func checkPermissionForbidden(t *testing.T, s *scene) {
	c, relay := s.allocated(t)
	first, second := s.peer(t), s.stranger(t)
	a := c.call(createPermission, peerAddress(first.addr), peerAddress(forbidden4), peerAddress(second.addr))
	c.wantRefused(a, 403)
	c.wantCutOff(relay, first)
	c.wantCutOff(relay, second)
	c.permit(first)
	c.wantRefused(c.call(createPermission, peerAddress(second.addr), peerAddress(forbidden4)), 403)
	c.wantRelayed(relay, first) // one that was there before stays
	c.wantCutOff(relay, second)
	c.must(createPermission, peerAddress(first.addr), peerAddress(second.addr))
	c.wantRelayed(relay, second)
	six, _ := s.allocated(t, requestedFamily(familyIPv6))
	six.wantRefused(six.call(createPermission, peerAddress(forbidden6)), 403)
}

func checkPermissionByAddress(t *testing.T, s *scene) {
	c, relay := s.allocated(t)
	p, other, stranger := s.peer(t), s.peer(t), s.stranger(t)
	c.must(createPermission, peerAddress(netip.AddrPortFrom(p.addr.Addr(), 0)))
	c.wantRelayed(relay, p)
	c.wantRelayed(relay, other)
	c.wantCutOff(relay, stranger)
	c.permit(other) // again
	c.wantRelayed(relay, p)
}

func checkSend(t *testing.T, s *scene) {
	c, relay := s.allocated(t)
	p, stranger := s.peer(t), s.stranger(t)
	c.sendIndication(p.addr, mark("early"))
	p.wantNothing(t)
	c.permit(p)
	c.write(build(send, indication, peerAddress(p.addr)).raw)
	c.write(build(send, indication, payload(mark("to nobody"))).raw)
	c.sendIndication(stranger.addr, mark("to a stranger"))
	p.wantNothing(t)
	stranger.wantNothing(t)
	c.sendIndication(p.addr, nil)
	p.wantPacket(t, relay, nil)
	for n := range 5 { // whatever the padding
		b := noise(n)
		c.sendIndication(p.addr, b)
		p.wantPacket(t, relay, b)
	}
	t.Run("DONT-FRAGMENT", func(t *testing.T) { checkSendDontFragment(t, s) })
	none := s.login(t)
	none.sendIndication(p.addr, mark("without an allocation"))
	p.wantNothing(t)
}

// largestWhole is the payload of the largest IPv4 packet that an Ethernet takes.
const largestWhole = 1500 - 20 - 8

func checkSendDontFragment(t *testing.T, s *scene) {
	c, _, p := s.relayed(t)
	small := mark("small")
	seen := sniff(t, s.first, small)
	c.sendIndication(p.addr, small, dontFragment())
	for _, n := range []int{largestWhole + 1, 4000} {
		c.sendIndication(p.addr, noise(n), dontFragment())
	}
	p.wantPacketsUpTo(t, largestWhole)
	for _, f := range seen() {
		if !f.dontFragment {
			t.Errorf("DONT-FRAGMENT was neither honoured nor the indication dropped")
		}
	}
}

func checkUnheard(t *testing.T, s *scene) {
	c, relay := s.allocated(t)
	p, stranger := s.peer(t), s.stranger(t)
	p.sendTo(relay, mark("early"))
	c.wantNoData()
	c.permit(p)
	stranger.sendTo(relay, mark("stranger"))
	c.wantNoData()
	for n := range 5 {
		b := noise(n)
		p.sendTo(relay, b)
		c.wantData(p.addr, b)
	}
	six, relay6 := s.allocated(t, requestedFamily(familyIPv6))
	p6 := s.peer6(t)
	p6.sendTo(relay6, mark("early"))
	six.wantNoData()
	six.permit(p6)
	six.wantRelayed(relay6, p6)
}

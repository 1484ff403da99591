//go:build linux

package conformance

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

var channelRules = []rule{
	{32, "8656 §12.2", "a number outside 0x4000-0x4FFF: 400", checkChannelNumber, ""},
	{33, "8656 §12.2", "number of another peer, peer of another number: 400; the same again is a refresh", checkRebind, ""},
	{34, "8656 §12.2", "ChannelBind: forbidden 403; other family 443; no allocation 437", checkBindRefused, ""},
	{35, "8656 §12, §12.2", "a binding permits its peer", checkBound, "600 s; the permission's 300 s; a number rests 5 min"},
	{36, "8656 §12.5, §12.6", "ChannelData padded on streams, either way on UDP; longer than its datagram dropped", checkChannelData, ""},
	{37, "8656 §12.5, 8489 §6.2.2", "frames split at any byte or joined, up to 65,535 bytes", checkFraming, ""},
}

func checkChannelNumber(t *testing.T, s *scene) {
	c, relay := s.allocated(t)
	p, other := s.peer(t), s.peer(t)
	for _, n := range []uint16{0, 1, 0x3FFF, 0x5000, 0x6000, 0x7FFF, 0x8000, 0xFFFF} {
		c.wantRefused(c.call(channelBind, channelNumber(n), peerAddress(p.addr)), 400)
	}
	c.wantRefused(c.call(channelBind, peerAddress(p.addr)), 400)
	c.wantRefused(c.call(channelBind, channelNumber(0x4000)), 400)
	c.wantRefused(c.call(channelBind, attr(attrChannelNumber, 0x40), peerAddress(p.addr)), 400)
	c.wantRefused(c.call(channelBind, channelNumber(0x4000), peerAddress(netip.AddrPortFrom(p.addr.Addr(), 0))), 400)
	for _, value := range malformedAddresses() {
		if a := c.call(channelBind, channelNumber(0x4000), attr(attrPeerAddress, value...)); a.code() != 400 {
			t.Errorf("XOR-PEER-ADDRESS %x: want 400, got %v", value, a)
		}
	}
	c.wantCutOff(relay, p) // none of them left a permission
	c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
	c.must(channelBind, channelNumber(0x4FFF), peerAddress(other.addr))
	c.wantBound(relay, p, 0x4000)
	c.wantBound(relay, other, 0x4FFF)
}

func checkRebind(t *testing.T, s *scene) {
	c, relay := s.allocated(t)
	p, other := s.peer(t), s.peer(t) // one address, two ports: two peers
	c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
	c.wantRefused(c.call(channelBind, channelNumber(0x4000), peerAddress(other.addr)), 400)
	c.wantRefused(c.call(channelBind, channelNumber(0x4001), peerAddress(p.addr)), 400)
	c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
	c.must(channelBind, channelNumber(0x4001), peerAddress(other.addr))
	c.wantBound(relay, p, 0x4000)
	c.wantBound(relay, other, 0x4001)
	// Another client's numbers are its own.
	d, relay2 := s.allocated(t)
	d.must(channelBind, channelNumber(0x4000), peerAddress(other.addr))
	d.wantBound(relay2, other, 0x4000)
	c.wantBound(relay, p, 0x4000)
}

func checkBindRefused(t *testing.T, s *scene) {
	c := s.login(t)
	p, p6 := s.peer(t), s.peer6(t)
	bind := func(addr netip.AddrPort) *answer {
		return c.call(channelBind, channelNumber(0x4000), peerAddress(addr))
	}
	c.wantRefused(bind(p.addr), 437)
	relay := c.allocate()
	c.wantRefused(bind(forbidden4), 403)
	c.wantRefused(bind(p6.addr), 443)
	if a := bind(forbidden6); a.code() != 443 && a.code() != 403 {
		t.Errorf("forbidden and of the other family: %v", a)
	}
	c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr)) // the number is still free
	c.wantBound(relay, p, 0x4000)
}

func checkBound(t *testing.T, s *scene) {
	c, relay := s.allocated(t)
	p, other := s.peer(t), s.peer(t)
	c.must(channelBind, channelNumber(0x4ABC), peerAddress(p.addr))
	b := mark("send")
	c.sendIndication(p.addr, b) // a channel does not forbid indications
	p.wantPacket(t, relay, b)
	c.wantRelayed(relay, other) // the permission is for the address
	b = mark("down")
	p.sendTo(relay, b)
	c.wantChannelData(0x4ABC, b)
	six, relay6 := s.allocated(t, requestedFamily(familyIPv6))
	p6 := s.peer6(t)
	six.must(channelBind, channelNumber(0x4ABC), peerAddress(p6.addr))
	six.wantBound(relay6, p6, 0x4ABC)
}

func checkChannelData(t *testing.T, s *scene) {
	c, relay := s.allocated(t)
	p := s.peer(t)
	c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
	for n := range 9 {
		b := noise(n)
		c.write(channelData(0x4000, b, true))
		p.wantPacket(t, relay, b)
		if !s.stream {
			c.write(channelData(0x4000, b, false))
			p.wantPacket(t, relay, b)
		}
		p.sendTo(relay, b)
		c.wantChannelData(0x4000, b) // a stream's reader depends on its padding
	}
	c.write(channelData(0x4001, mark("not bound"), true))
	if !s.stream { // a stream may be closed on what follows
		c.write(channelData(0x5000, mark("reserved"), true))
		long := channelData(0x4000, mark("long"), true)
		binary.BigEndian.PutUint16(long[2:], uint16(len(long)-4+1))
		c.write(long)
		c.write([]byte{0x40, 0x00, 0x00})
		c.write([]byte{0x40, 0x00, 0xFF, 0xFF})
	}
	p.wantNothing(t)
	c.wantBound(relay, p, 0x4000)
	none := s.login(t)
	none.write(channelData(0x4000, mark("without an allocation"), true))
	p.wantNothing(t)
}

func checkFraming(t *testing.T, s *scene) {
	if !s.stream {
		checkLargeDatagrams(t, s)
		return
	}
	t.Run("byte by byte", func(t *testing.T) {
		c, relay, p := s.relayed(t)
		c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
		first, second := mark("channel data"), mark("send indication")
		ping := build(binding, request, fingerprint())
		all := channelData(0x4000, first, true)
		all = append(all, build(send, indication, peerAddress(p.addr), payload(second)).raw...)
		for _, b := range append(all, ping.raw...) {
			c.write([]byte{b})
			time.Sleep(100 * time.Microsecond)
		}
		p.wantPacket(t, relay, first)
		p.wantPacket(t, relay, second)
		if a := c.answerTo(ping.id, patience); a == nil {
			t.Error("no answer to the last of them")
		}
	})
	t.Run("split once at each byte", func(t *testing.T) {
		c, relay, p := s.relayed(t)
		c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
		for at := 1; at < 24; at++ {
			b, ping := noise(13), build(binding, request)
			all := append(channelData(0x4000, b, true), ping.raw...)
			c.write(all[:at])
			time.Sleep(2 * time.Millisecond)
			c.write(all[at:])
			p.wantPacket(t, relay, b)
			if c.answerTo(ping.id, patience) == nil {
				t.Fatalf("split at byte %d: no answer", at)
			}
		}
	})
	t.Run("joined", func(t *testing.T) { checkJoined(t, s) })
	t.Run("up to 65535 bytes", func(t *testing.T) { checkLargeFrames(t, s) })
}

func checkJoined(t *testing.T, s *scene) {
	c, relay, p := s.relayed(t)
	c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
	var all []byte
	var pings []*message
	var packets [][]byte
	for n := range 20 {
		ping, up, down := build(binding, request), noise(n), noise(n)
		all = append(all, ping.raw...)
		all = append(all, channelData(0x4000, up, true)...)
		all = append(all, build(send, indication, peerAddress(p.addr), payload(down)).raw...)
		pings, packets = append(pings, ping), append(packets, up, down)
	}
	c.write(all)
	for _, b := range packets {
		p.wantPacket(t, relay, b)
	}
	for i, ping := range pings {
		if c.answerTo(ping.id, patience) == nil {
			t.Fatalf("no answer to request %d of %d", i+1, len(pings))
		}
	}
}

func checkLargeFrames(t *testing.T, s *scene) {
	c, relay, p := s.relayed(t)
	c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
	for _, n := range []int{1599, 1600, 1601, 8192, 40000, 65507} {
		b := noise(n)
		c.write(channelData(0x4000, b, true))
		p.wantPacket(t, relay, b)
	}
	b := noise(65400)
	c.sendIndication(p.addr, b)
	p.wantPacket(t, relay, b)
	// The largest of both kinds: no datagram holds the first, and the second
	// has to be answered.
	c.write(channelData(0x4000, noise(65535), true))
	big := build(binding, request, attr(attrUnknownOptional, noise(0xFFFC-4)...))
	if a := c.ask(big); a.class != success {
		t.Errorf("a request of %d bytes: %v", len(big.raw), a)
	}
	p.wantNothing(t)
	c.wantBound(relay, p, 0x4000)
}

// checkLargeDatagrams: what has no frames has sizes.
func checkLargeDatagrams(t *testing.T, s *scene) {
	c, relay, p := s.relayed(t)
	c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
	for _, n := range []int{1471, 1599, 1600, 1601, 8192, 40000, 65400} {
		b := noise(n)
		c.write(channelData(0x4000, b, false))
		p.wantPacket(t, relay, b)
		c.sendIndication(p.addr, b)
		p.wantPacket(t, relay, b)
		if a := c.ask(build(binding, request, attr(attrUnknownOptional, b...))); a.class != success {
			t.Errorf("a request with %d bytes of optional attribute: %v", n, a)
		}
	}
}

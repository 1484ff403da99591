//go:build linux

package conformance

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"
)

// attackAttributes sends each attribute with each length, in each message that
// a stranger, a user, and a user with a session can send. An indication is not
// signed, so anybody can send the last kind by faking an address.
func attackAttributes(t *testing.T, s *scene) {
	types := []uint16{
		attrMappedAddress, 0x0002, attrChangeRequest, 0x0004, 0x0005, attrUsername, 0x0007, attrIntegrity,
		attrErrorCode, attrUnknownAttributes, attrChannelNumber, attrLifetime, attrPeerAddress, attrData,
		attrRealm, attrNonce, attrRelayedAddress, attrRequestedFamily, attrEvenPort, attrRequestedTransport,
		attrDontFragment, 0x001C, 0x001D, 0x001E, attrXORMappedAddress, attrReservationToken, 0x0024, 0x0025,
		attrPadding, attrResponsePort, 0x002A, attrAdditionalFamily, attrAddressErrorCode, 0x8002, 0x8003,
		0x8004, attrSoftware, 0x8023, attrFingerprint, 0x8029, 0x802A, 0x802B, 0x802C, 0x0000, 0xFFFF,
	}
	for _, tr := range []transport{udp, tcp} {
		// A bad USERNAME counts as a guess, by address: these two have their own.
		c, stranger := s.over(tr).dialFresh(t).login(), s.over(tr).dialFresh(t).login()
		relay, p := c.allocate(), s.peer(t)
		c.permit(p)
		for _, typ := range types {
			for n := range 26 {
				for _, m := range attributeMessages(c, stranger, attr(typ, noise(n)...), p) {
					m.from.write(m.raw)
				}
				if n%8 == 0 {
					c.alive() // which also keeps the flood below the buffers
					stranger.alive()
				}
				c.received, stranger.received = nil, nil
			}
			c.lastInMessages(typ)
		}
		p.empty()
		c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
		c.wantBound(relay, p, 0x4000)
	}
}

// lastInMessages sends the attribute as the last of indications of many sizes,
// short of the bytes that it must have. Where nothing follows in the message,
// and nothing in the memory that holds it, who reads on is out of bounds.
func (c *client) lastInMessages(typ uint16) {
	c.t.Helper()
	for size := 0; size < 256; size += 4 {
		for n := range 4 {
			c.write(build(send, indication, payload(noise(size)), attr(typ, noise(n)...)).raw)
		}
		if size%32 == 0 {
			c.alive() // which also keeps the flood below the buffers
		}
	}
}

type sender struct {
	from *client
	raw  []byte
}

func attributeMessages(c, stranger *client, bad part, p *peer) []sender {
	signed, valid := c.signed(), peerAddress(p.addr)
	return []sender{
		{c, build(send, indication, bad).raw},
		{c, build(send, indication, bad, payload(nil)).raw},
		{c, build(send, indication, valid, bad).raw},
		{c, build(createPermission, request, valid, bad, signed).raw},
		{c, build(channelBind, request, bad, valid, channelNumber(0x4000), signed).raw},
		{c, build(refresh, request, lifetime(600), bad, signed).raw},
		{stranger, build(binding, request, bad).raw},
		{stranger, build(allocate, request, bad).raw},
		{stranger, build(allocate, request, bad, stranger.signed()).raw}, // never whole: no transport
		{stranger, build(data, indication, bad).raw},
		{stranger, build(binding, indication, bad).raw},
		{stranger, build(binding, request, bad, fingerprint()).raw},
	}
}

// empty throws away what the peer has received.
func (p *peer) empty() {
	for {
		select {
		case <-p.packets:
		case <-time.After(quiet / 3):
			return
		}
	}
}

// attackFrames sends the length fields that overflow 16 bits once the header is
// added, and leaves some of the streams open.
func attackFrames(t *testing.T, s *scene) {
	s = s.over(tcp)
	stun := func(length uint16) []byte {
		m := build(binding, request)
		m.setLength(int(length))
		return m.raw
	}
	channel := func(length uint16) []byte {
		return binary.BigEndian.AppendUint16([]byte{0x40, 0x00}, length)
	}
	for _, length := range []uint16{0xFFEC, 0xFFF0, 0xFFF8, 0xFFFC, 0xFFFD, 0xFFFE, 0xFFFF, 0xFFEB, 0xFFE8} {
		for _, head := range [][]byte{stun(length), channel(length)} {
			s.dial(t).write(head)
			s.dial(t).write(append(head, noise(100)...))
			gone := s.dial(t)
			gone.write(head)
			gone.close()
			c, _ := s.allocated(t)
			c.write(head)
			c.nonce = "" // nothing can be released on this stream
		}
	}
	s.box.wantIdle(t) // while they are open
	if !s.serves(t) {
		t.Error("not served over TCP while they are open")
	}
}

// drain throws away what the box answers, until the link is closed.
func (c *client) drain() {
	go func() {
		for range c.frames {
		}
	}()
}

// attackFlood sends what is not a message as fast as it goes.
func attackFlood(t *testing.T, s *scene) {
	const packets = 50_000
	var kinds [][]byte
	for _, m := range broken() {
		kinds = append(kinds, m.raw)
	}
	for range 64 {
		kinds = append(kinds, noise(rand.IntN(200)))
		m := build(uint16(rand.IntN(16)), uint16(rand.IntN(4)), attr(uint16(rand.IntN(65536)), noise(rand.IntN(64))...))
		m.raw[rand.IntN(len(m.raw))] ^= byte(1 + rand.IntN(255))
		kinds = append(kinds, m.raw)
	}
	memory := s.box.memory(t)
	c := s.dial(t)
	c.drain()
	for i := range packets {
		c.write(kinds[i%len(kinds)])
		if i%100 == 99 {
			time.Sleep(2 * time.Millisecond) // the box gets them all, more or less
		}
	}
	if grown := s.box.memory(t) - memory; grown > 16<<20 {
		t.Errorf("%d MB more memory after %d packets", grown>>20, packets)
	}
	if s.box.metric(t, "icebox_turn_malformed_total") < packets/4 {
		t.Errorf("only %v packets were counted as malformed", s.box.metric(t, "icebox_turn_malformed_total"))
	}
}

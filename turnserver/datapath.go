package turnserver

import (
	"encoding/binary"
	"net/netip"

	"github.com/pion/stun/v2"
)

// The plain data path: how a datagram gets from client to peer and back. It
// waits for nobody, takes no lock that all sessions share, and allocates nothing.

// sendChannel passes on what a client sent in ChannelData (RFC 8656 section
// 12.6). The frame may be followed by padding.
func (s *session) sendChannel(packet []byte) {
	size := int(binary.BigEndian.Uint16(packet[2:]))
	if size > len(packet)-channelHeader {
		s.drop(dropMalformed)
		return
	}
	now := s.owner.clock.now()
	c := s.flows.Load().channel(binary.BigEndian.Uint16(packet))
	switch {
	case s.expires.passed(now):
		s.drop(dropExpired)
	case c == nil || c.expires.passed(now):
		s.drop(dropNoChannel)
	case c.permission.expires.passed(now):
		s.drop(dropNoPermission)
	default:
		s.toPeer(now, packet[channelHeader:channelHeader+size], c.peer, c.permission.own, false)
	}
}

// sendIndication passes on what a client sent in a Send indication (RFC 8656
// section 11.2).
func (s *session) sendIndication(m *message) {
	peer, ok := m.peerAddress()
	df := m.has(attrDontFragment)
	if !ok || !m.has(attrData) || m.unknownLen > 0 || df && !canDontFragment {
		s.drop(dropMalformed)
		return
	}
	now := s.owner.clock.now()
	p := s.flows.Load().permission(peer.Addr())
	switch {
	case s.expires.passed(now):
		s.drop(dropExpired)
	case p == nil || p.expires.passed(now):
		s.drop(dropNoPermission)
	default:
		s.toPeer(now, m.value(attrData), peer, p.own, df)
	}
}

// toPeer sends payload from the session's relay address to a permitted peer.
func (s *session) toPeer(now instant, payload []byte, peer netip.AddrPort, own, df bool) {
	r := s.relayFor(peer.Addr())
	if r == nil {
		s.drop(dropFamily)
		return
	}
	if !s.account.pay(now, len(payload), s.owner.settings.Load().limits.BandwidthPerUser) {
		s.drop(dropBandwidth)
		return
	}
	if own {
		s.deliver(payload, r, peer)
		return
	}
	var err error
	if df {
		err = r.sendUnfragmented(payload, peer)
	} else {
		err = r.out.send(payload, nil, peer)
	}
	if err != nil {
		s.drop(sendDrop(err))
		return
	}
	s.up(len(payload))
}

// deliver hands payload to another relay of this box, as if it had come from
// the network: no router needs to turn it round.
func (s *session) deliver(payload []byte, from *relay, to netip.AddrPort) {
	target := s.owner.relays.find(to)
	if target == nil {
		s.drop(dropNoRelay)
		return
	}
	s.up(len(payload))
	buf := takeBuffer()
	defer buf.give()
	target.session.receive(buf, copy(buf.room(), payload), from.addr)
}

// receive passes on to the client what a peer sent: n bytes in the room of buf.
// Without a permission for the peer nothing is heard (RFC 8656 section 11.3).
func (s *session) receive(buf *buffer, n int, from netip.AddrPort) {
	now := s.owner.clock.now()
	f := s.flows.Load()
	p := f.permission(from.Addr())
	switch {
	case s.expires.passed(now):
		s.drop(dropExpired)
		return
	case p == nil || p.expires.passed(now):
		s.drop(dropNoPermission)
		return
	case !s.account.pay(now, n, s.owner.settings.Load().limits.BandwidthPerUser):
		s.drop(dropBandwidth)
		return
	}
	var packet []byte
	if c := f.channelOf(from); c != nil && !c.expires.passed(now) {
		packet = buf.channelData(c.number, n)
	} else {
		packet = buf.dataIndication(s.owner.transaction(), from, n)
	}
	if len(packet) > s.client.fits() {
		s.drop(dropTooBig)
		return
	}
	if why, ok := s.client.send(packet); !ok {
		s.drop(why)
		return
	}
	s.down(n)
}

// channelData builds ChannelData in place (RFC 8656 section 12.4), padded to a
// multiple of four only by streams.
func (b *buffer) channelData(number uint16, n int) []byte {
	start := headroom - channelHeader
	binary.BigEndian.PutUint16(b.b[start:], number)
	binary.BigEndian.PutUint16(b.b[start+2:], uint16(n))
	return b.b[start : headroom+n]
}

var typeDataIndication = stun.NewType(stun.MethodData, stun.ClassIndication).Value()

// dataIndication builds a Data indication in place (RFC 8656 section 11.3).
func (b *buffer) dataIndication(id transactionID, from netip.AddrPort, n int) []byte {
	addrSize := 8
	if !from.Addr().Is4() {
		addrSize = 20
	}
	padded := (n + 3) &^ 3
	start := headroom - headerSize - attributeHeader - addrSize - attributeHeader
	head := b.b[start:start:headroom]
	head = binary.BigEndian.AppendUint16(head, typeDataIndication)
	head = binary.BigEndian.AppendUint16(head, uint16(2*attributeHeader+addrSize+padded))
	head = binary.BigEndian.AppendUint32(head, magicCookie)
	head = append(head, id[:]...)
	head = binary.BigEndian.AppendUint16(head, uint16(stun.AttrXORPeerAddress))
	head = binary.BigEndian.AppendUint16(head, uint16(addrSize))
	head = putXORAddress(head, from, b.b[start:start+headerSize])
	head = binary.BigEndian.AppendUint16(head, uint16(stun.AttrData))
	binary.BigEndian.AppendUint16(head, uint16(n))
	clear(b.b[headroom+n : headroom+padded])
	return b.b[start : headroom+padded]
}

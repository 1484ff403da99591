package turnserver

import (
	"encoding/binary"
	"net/netip"

	"github.com/pion/stun/v2"
)

// What a session lets pass: how a datagram gets from client to peer and back.
// Every path asks here, packet by packet, and is told where the packet goes by
// what its lane gets. It waits for nobody, takes no lock, and allocates nothing.

// sendChannel passes on what a client sent in ChannelData (RFC 8656 section
// 12.6). The frame may be followed by padding.
func (s *session) sendChannel(now instant, out lane, packet []byte) {
	size := int(binary.BigEndian.Uint16(packet[2:]))
	if size > len(packet)-channelHeader {
		s.drop(dropMalformed)
		return
	}
	c := s.flows.Load().channel(binary.BigEndian.Uint16(packet))
	switch {
	case s.expires.passed(now):
		s.drop(dropExpired)
	case c == nil || c.expires.passed(now):
		s.drop(dropNoChannel)
	case c.permission.expires.passed(now):
		s.drop(dropNoPermission)
	default:
		s.toPeer(now, out, packet[channelHeader:channelHeader+size], c.peer, c.permission.own, false)
	}
}

// sendIndication passes on what a client sent in a Send indication (RFC 8656
// section 11.2).
func (s *session) sendIndication(now instant, out lane, m *message) {
	peer, ok := m.peerAddress()
	df := m.has(attrDontFragment)
	if !ok || peer.Port() == 0 || !m.has(attrData) || m.unknownLen > 0 || df && !canDontFragment {
		s.drop(dropMalformed)
		return
	}
	p := s.flows.Load().permission(peer.Addr())
	switch {
	case s.expires.passed(now):
		s.drop(dropExpired)
	case p == nil || p.expires.passed(now):
		s.drop(dropNoPermission)
	default:
		s.toPeer(now, out, m.value(attrData), peer, p.own, df)
	}
}

// lets says whether there is a channel or a permission for what a client sent, or it is
// decided now whatever there is.
func (s *session) lets(now instant, packet []byte, m *message) bool {
	f := s.flows.Load()
	if isChannelData(packet) {
		c := f.channel(binary.BigEndian.Uint16(packet))
		return c != nil && !c.expires.passed(now) && !c.permission.expires.passed(now)
	}
	if m.parse(packet) != nil || m.has(attrDontFragment) {
		return true // what has DF can't be sent by another goroutine than the session's other packets
	}
	peer, ok := m.peerAddress()
	if !ok {
		return true
	}
	p := f.permission(peer.Addr())
	return p != nil && !p.expires.passed(now)
}

// toPeer sends payload from the session's relay address to a permitted peer.
func (s *session) toPeer(now instant, out lane, payload []byte, peer netip.AddrPort, own, df bool) {
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
		s.deliver(now, out, payload, r, peer)
		return
	}
	out.toPeer(s, r, payload, peer, df)
}

// deliver hands payload to another relay of this box, as if it had come from
// the network: no router needs to turn it round.
func (s *session) deliver(now instant, out lane, payload []byte, from *relay, to netip.AddrPort) {
	target := s.owner.relays.find(to)
	if target == nil {
		s.drop(dropNoRelay)
		return
	}
	s.up(1, len(payload))
	room := out.room()
	defer out.done(room)
	target.session.receive(now, out, room, copy(payloadOf(room), payload), from.addr)
}

// receive passes on to the client what a peer sent: n bytes in a room, in which
// the packet is built. Without a permission for the peer nothing is heard (RFC
// 8656 section 11.3).
func (s *session) receive(now instant, out lane, room []byte, n int, from netip.AddrPort) {
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
		packet = channelData(room, c.number, n)
	} else {
		packet = dataIndication(room, s.owner.transaction(), from, n)
	}
	if len(packet) > s.client.fits() {
		s.drop(dropTooBig)
		return
	}
	out.toClient(s, packet, n)
}

// channelData builds ChannelData in place (RFC 8656 section 12.4), padded to a
// multiple of four only by streams.
func channelData(room []byte, number uint16, n int) []byte {
	start := headroom - channelHeader
	binary.BigEndian.PutUint16(room[start:], number)
	binary.BigEndian.PutUint16(room[start+2:], uint16(n))
	return room[start : headroom+n]
}

var typeDataIndication = stun.NewType(stun.MethodData, stun.ClassIndication).Value()

// dataIndication builds a Data indication in place (RFC 8656 section 11.3).
func dataIndication(room []byte, id transactionID, from netip.AddrPort, n int) []byte {
	addrSize := 8
	if !from.Addr().Is4() {
		addrSize = 20
	}
	padded := (n + 3) &^ 3
	start := headroom - headerSize - attributeHeader - addrSize - attributeHeader
	head := room[start:start:headroom]
	head = binary.BigEndian.AppendUint16(head, typeDataIndication)
	head = binary.BigEndian.AppendUint16(head, uint16(2*attributeHeader+addrSize+padded))
	head = binary.BigEndian.AppendUint32(head, magicCookie)
	head = append(head, id[:]...)
	head = binary.BigEndian.AppendUint16(head, uint16(stun.AttrXORPeerAddress))
	head = binary.BigEndian.AppendUint16(head, uint16(addrSize))
	head = putXORAddress(head, from, room[start:start+headerSize])
	head = binary.BigEndian.AppendUint16(head, uint16(stun.AttrData))
	binary.BigEndian.AppendUint16(head, uint16(n))
	clear(room[headroom+n : headroom+padded])
	return room[start : headroom+padded]
}

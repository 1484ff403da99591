//go:build linux

package conformance

import (
	"crypto/rand"
	"encoding/binary"
	"net/netip"
)

// Methods (RFC 8489 §18.2, RFC 8656 §17) and classes (RFC 8489 §5).
const (
	binding          = 0x001
	allocate         = 0x003
	refresh          = 0x004
	send             = 0x006
	data             = 0x007
	createPermission = 0x008
	channelBind      = 0x009
	connect          = 0x00A // RFC 6062
	unassigned       = 0x0A5

	request    = 0
	indication = 1
	success    = 2
	failure    = 3
)

// Attributes (RFC 8489 §18.3, RFC 8656 §18, RFC 5780 §7).
const (
	attrMappedAddress      = 0x0001
	attrChangeRequest      = 0x0003
	attrUsername           = 0x0006
	attrIntegrity          = 0x0008
	attrErrorCode          = 0x0009
	attrUnknownAttributes  = 0x000A
	attrChannelNumber      = 0x000C
	attrLifetime           = 0x000D
	attrPeerAddress        = 0x0012
	attrData               = 0x0013
	attrRealm              = 0x0014
	attrNonce              = 0x0015
	attrRelayedAddress     = 0x0016
	attrRequestedFamily    = 0x0017
	attrEvenPort           = 0x0018
	attrRequestedTransport = 0x0019
	attrDontFragment       = 0x001A
	attrXORMappedAddress   = 0x0020
	attrReservationToken   = 0x0022
	attrPadding            = 0x0026
	attrResponsePort       = 0x0027
	attrAdditionalFamily   = 0x8000
	attrAddressErrorCode   = 0x8001
	attrSoftware           = 0x8022
	attrFingerprint        = 0x8028

	// Assigned to nobody: a receiver has to understand the first, and may
	// ignore the second.
	attrUnknownRequired = 0x7E57
	attrUnknownOptional = 0xFE57
)

const (
	familyIPv4 = 1
	familyIPv6 = 2
	protoTCP   = 6
	protoUDP   = 17

	cookie     = 0x2112A442
	headerSize = 20
)

type transactionID [12]byte

// message is a STUN message being written. Its length field is kept right with
// every attribute; who wants it wrong changes raw afterwards.
type message struct {
	id  transactionID
	raw []byte
}

// part adds something to a message: the order of parts is the order on the wire.
type part func(*message)

func build(method, class uint16, parts ...part) *message {
	m := &message{raw: make([]byte, headerSize)}
	rand.Read(m.id[:])
	binary.BigEndian.PutUint16(m.raw, messageType(method, class))
	binary.BigEndian.PutUint32(m.raw[4:], cookie)
	copy(m.raw[8:], m.id[:])
	for _, p := range parts {
		p(m)
	}
	return m
}

// messageType interleaves the class with the method (RFC 8489 §5).
func messageType(method, class uint16) uint16 {
	return method&0xF | method&0x70<<1 | method&0xF80<<2 | class&1<<4 | class&2<<7
}

// attribute writes one attribute, its value padded to four bytes.
func (m *message) attribute(typ uint16, value []byte) {
	m.raw = binary.BigEndian.AppendUint16(m.raw, typ)
	m.raw = binary.BigEndian.AppendUint16(m.raw, uint16(len(value)))
	m.raw = append(m.raw, value...)
	m.raw = append(m.raw, make([]byte, -len(value)&3)...)
	m.setLength(len(m.raw) - headerSize)
}

func (m *message) setLength(n int) { binary.BigEndian.PutUint16(m.raw[2:], uint16(n)) }

// xorAddress encodes an address as XOR-MAPPED-ADDRESS does (RFC 8489 §14.2).
func xorAddress(id transactionID, addr netip.AddrPort) []byte {
	family := byte(familyIPv4)
	if addr.Addr().Is6() {
		family = familyIPv6
	}
	value := []byte{0, family}
	value = binary.BigEndian.AppendUint16(value, addr.Port()^cookie>>16)
	return append(value, xorIP(id, addr.Addr().AsSlice())...)
}

func xorIP(id transactionID, ip []byte) []byte {
	mask := append(binary.BigEndian.AppendUint32(nil, cookie), id[:]...)
	out := make([]byte, len(ip))
	for i := range ip {
		out[i] = ip[i] ^ mask[i]
	}
	return out
}

func attr(typ uint16, value ...byte) part {
	return func(m *message) { m.attribute(typ, value) }
}

func text(typ uint16, value string) part { return attr(typ, []byte(value)...) }

func lifetime(seconds uint32) part {
	return attr(attrLifetime, binary.BigEndian.AppendUint32(nil, seconds)...)
}

func transportUDP() part { return attr(attrRequestedTransport, protoUDP, 0, 0, 0) }

func requestedFamily(family byte) part  { return attr(attrRequestedFamily, family, 0, 0, 0) }
func additionalFamily(family byte) part { return attr(attrAdditionalFamily, family, 0, 0, 0) }
func dontFragment() part                { return attr(attrDontFragment) }
func token(value []byte) part           { return attr(attrReservationToken, value...) }

func evenPort(reserve bool) part {
	if reserve {
		return attr(attrEvenPort, 0x80)
	}
	return attr(attrEvenPort, 0)
}

func channelNumber(n uint16) part {
	return attr(attrChannelNumber, byte(n>>8), byte(n), 0, 0)
}

func peerAddress(addr netip.AddrPort) part {
	return func(m *message) { m.attribute(attrPeerAddress, xorAddress(m.id, addr)) }
}

func payload(b []byte) part { return attr(attrData, b...) }

// transaction gives the message an id of the caller's. It comes first.
func transaction(id transactionID) part {
	return func(m *message) { m.id = id; copy(m.raw[8:], id[:]) }
}

// channelData frames b for a channel (RFC 8656 §12.4), padded where asked.
func channelData(channel uint16, b []byte, padded bool) []byte {
	raw := binary.BigEndian.AppendUint16(nil, channel)
	raw = binary.BigEndian.AppendUint16(raw, uint16(len(b)))
	raw = append(raw, b...)
	if padded {
		raw = append(raw, make([]byte, -len(b)&3)...)
	}
	return raw
}

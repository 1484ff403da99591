package turnserver

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // MESSAGE-INTEGRITY is HMAC-SHA1, RFC 8489 section 14.5
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/netip"

	"github.com/pion/stun/v2"
)

const (
	headerSize      = 20         // RFC 8489 section 5
	magicCookie     = 0x2112A442 // RFC 8489 section 5
	integritySize   = sha1.Size
	fingerprintXOR  = 0x5354554e // RFC 8489 section 14.7
	maxUnknown      = 16         // unknown attributes named in one 420
	maxPeerAddrs    = 64         // XOR-PEER-ADDRESS attributes read from one request
	attributeHeader = 4
)

var (
	errNotSTUN     = errors.New("not a STUN message")
	errMalformed   = errors.New("malformed STUN message")
	errFingerprint = errors.New("wrong FINGERPRINT")
)

// transactionID is that of RFC 8489 section 5.
type transactionID = [stun.TransactionIDSize]byte

// span is where the value of an attribute lies in a message. Its zero value is
// "not there": no value begins in the header.
type span struct{ start, length uint32 }

// message is one STUN message that has been walked from end to end: its length
// is that of its bytes and every attribute lies inside. Values are looked at by
// the methods below alone, each of which checks the length that its attribute
// must have. It points into the packet that it was parsed from.
type message struct {
	raw         []byte
	kind        stun.MessageType
	integrity   int // offset of the MESSAGE-INTEGRITY attribute, 0: none
	fingerprint bool
	known       [knownCount]span
	unknown     [maxUnknown]stun.AttrType // comprehension-required, RFC 8489 section 14
	unknownLen  int
}

// known numbers the attributes that the box reads, to index message.known.
type known int

const (
	attrUsername known = iota
	attrRealm
	attrNonce
	attrChannelNumber
	attrLifetime
	attrPeerAddress
	attrData
	attrRequestedFamily
	attrEvenPort
	attrRequestedTransport
	attrDontFragment
	attrReservationToken
	attrAdditionalFamily
	knownCount
	attrIgnored   known = -1 // comprehended, and of no meaning in what clients send
	attrUnknown   known = -2
	attrIntegrity known = -3 // where it is stands in message.integrity
)

// typeAdditionalFamily is ADDITIONAL-ADDRESS-FAMILY, and typeAddressErrorCode
// ADDRESS-ERROR-CODE (RFC 8656 sections 18.11 and 18.12).
const (
	typeAdditionalFamily stun.AttrType = 0x8000
	typeAddressErrorCode stun.AttrType = 0x8001
)

func classify(t stun.AttrType) known {
	switch t {
	case stun.AttrUsername:
		return attrUsername
	case stun.AttrMessageIntegrity:
		return attrIntegrity
	case stun.AttrRealm:
		return attrRealm
	case stun.AttrNonce:
		return attrNonce
	case stun.AttrChannelNumber:
		return attrChannelNumber
	case stun.AttrLifetime:
		return attrLifetime
	case stun.AttrXORPeerAddress:
		return attrPeerAddress
	case stun.AttrData:
		return attrData
	case stun.AttrRequestedAddressFamily:
		return attrRequestedFamily
	case stun.AttrEvenPort:
		return attrEvenPort
	case stun.AttrRequestedTransport:
		return attrRequestedTransport
	case stun.AttrDontFragment:
		return attrDontFragment
	case stun.AttrReservationToken:
		return attrReservationToken
	case typeAdditionalFamily:
		return attrAdditionalFamily
	case stun.AttrMappedAddress, stun.AttrErrorCode, stun.AttrUnknownAttributes,
		stun.AttrXORRelayedAddress, stun.AttrXORMappedAddress:
		return attrIgnored
	}
	if t.Required() {
		return attrUnknown
	}
	return attrIgnored
}

// parse reads a whole datagram or frame into m, which points into raw from then
// on. It fails on what is not STUN, on a length or an attribute that does not
// fit (RFC 8489 section 6.3), and on a wrong FINGERPRINT (section 14.7).
func (m *message) parse(raw []byte) error {
	if len(raw) < headerSize || raw[0] > 3 || binary.BigEndian.Uint32(raw[4:]) != magicCookie {
		return errNotSTUN
	}
	length := int(binary.BigEndian.Uint16(raw[2:]))
	if length%4 != 0 || length != len(raw)-headerSize {
		return errMalformed
	}
	*m = message{raw: raw}
	m.kind.ReadValue(binary.BigEndian.Uint16(raw))
	for at := headerSize; at < len(raw); {
		if len(raw)-at < attributeHeader {
			return errMalformed
		}
		size := int(binary.BigEndian.Uint16(raw[at+2:]))
		next := at + attributeHeader + (size+3)&^3
		if next > len(raw) {
			return errMalformed
		}
		if err := m.note(stun.AttrType(binary.BigEndian.Uint16(raw[at:])), at, size); err != nil {
			return err
		}
		at = next
	}
	return nil
}

// note takes down one attribute. What follows MESSAGE-INTEGRITY is ignored but
// for FINGERPRINT, and of duplicates the first counts (RFC 8489 section 14).
func (m *message) note(t stun.AttrType, at, size int) error {
	if t == stun.AttrFingerprint {
		return m.checkFingerprint(at, size)
	}
	if m.integrity != 0 {
		return nil
	}
	switch k := classify(t); k {
	case attrIgnored:
	case attrUnknown:
		if m.unknownLen < maxUnknown {
			m.unknown[m.unknownLen] = t
			m.unknownLen++
		}
	case attrIntegrity:
		if size != integritySize {
			return errMalformed
		}
		m.integrity = at
	default:
		if m.known[k].start == 0 {
			m.known[k] = span{start: uint32(at + attributeHeader), length: uint32(size)}
		}
	}
	return nil
}

func (m *message) checkFingerprint(at, size int) error {
	if size != 4 || at+8 != len(m.raw) {
		return errFingerprint
	}
	if binary.BigEndian.Uint32(m.raw[at+4:]) != crc32.ChecksumIEEE(m.raw[:at])^fingerprintXOR {
		return errFingerprint
	}
	m.fingerprint = true
	return nil
}

// transaction is the transaction ID.
func (m *message) transaction() (id transactionID) {
	copy(id[:], m.raw[8:headerSize])
	return id
}

// has says whether the attribute is there.
func (m *message) has(k known) bool { return m.known[k].start != 0 }

// value is the attribute's value, nil where it is not there.
func (m *message) value(k known) []byte {
	s := m.known[k]
	if s.start == 0 {
		return nil
	}
	return m.raw[s.start : s.start+s.length]
}

// sized is the attribute's value where it has just this length, else nil.
func (m *message) sized(k known, size int) []byte {
	if v := m.value(k); len(v) == size {
		return v
	}
	return nil
}

// signedWith says whether MESSAGE-INTEGRITY was made with key, in constant time
// (RFC 8489 section 14.5).
func (m *message) signedWith(key []byte) bool {
	if m.integrity == 0 {
		return false
	}
	sum := integrityOf(key, m.raw, m.integrity)
	at := m.integrity + attributeHeader
	return hmac.Equal(sum[:], m.raw[at:at+integritySize])
}

// peerAddress is the first XOR-PEER-ADDRESS. It fails where there is none or it
// is not one of the two forms of RFC 8489 section 14.2.
func (m *message) peerAddress() (netip.AddrPort, bool) {
	return readXORAddress(m.value(attrPeerAddress), m.raw)
}

// peerAddresses are all XOR-PEER-ADDRESS attributes of a CreatePermission
// request (RFC 8656 section 10.1). It fails where one of them is malformed or
// there are more than maxPeerAddrs.
func (m *message) peerAddresses() ([]netip.AddrPort, bool) {
	var peers []netip.AddrPort
	end := len(m.raw)
	if m.integrity != 0 {
		end = m.integrity
	}
	for at := headerSize; at < end; {
		size := int(binary.BigEndian.Uint16(m.raw[at+2:]))
		if stun.AttrType(binary.BigEndian.Uint16(m.raw[at:])) == stun.AttrXORPeerAddress {
			value := m.raw[at+attributeHeader : at+attributeHeader+size]
			peer, ok := readXORAddress(value, m.raw)
			if !ok || len(peers) == maxPeerAddrs {
				return nil, false
			}
			peers = append(peers, peer)
		}
		at += attributeHeader + (size+3)&^3
	}
	return peers, true
}

// isSTUN and isChannelData tell the two kinds of packets apart by their first
// byte (RFC 8656 section 12, RFC 7983).
func isSTUN(packet []byte) bool { return len(packet) > 0 && packet[0] < 4 }

// isAnswer tells by the type alone: that of every response here is below 0x0200, and
// that of what a session passes on is not of a response.
func isAnswer(packet []byte) bool { return packet[0] == 0x01 }

func isChannelData(packet []byte) bool {
	return len(packet) >= channelHeader && packet[0] >= 0x40 && packet[0] <= 0x4F
}

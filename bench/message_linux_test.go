package bench

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"hash"
	"net/netip"
)

// Of RFC 8489 and RFC 8656, what an Allocate, a ChannelBind and a Refresh need.
const (
	allocateRequest = 0x0003
	allocateSuccess = 0x0103
	allocateError   = 0x0113
	refreshRequest  = 0x0004
	refreshSuccess  = 0x0104
	bindRequest     = 0x0009
	bindSuccess     = 0x0109

	attrUsername     = 0x0006
	attrIntegrity    = 0x0008
	attrError        = 0x0009
	attrChannel      = 0x000C
	attrLifetime     = 0x000D
	attrPeer         = 0x0012
	attrRealm        = 0x0014
	attrNonce        = 0x0015
	attrRelayed      = 0x0016
	attrTransport    = 0x0019
	magicCookie      = 0x2112A442
	headerSize       = 20
	integrityTotal   = 4 + sha1.Size
	transactionStart = 8
)

// messages builds requests of one user from parts that are made once, so that a
// request costs its load generator one copy and one HMAC. Not for use by two
// goroutines at once.
type messages struct {
	bare    []byte // Allocate without credentials, whole
	begin   []byte // a signed Allocate up to its NONCE
	end     []byte // a signed Refresh with lifetime 0 up to its NONCE
	who     []byte // USERNAME and REALM
	mac     hash.Hash
	counter uint64 // of transaction IDs
}

func newMessages(user, realm, password string) *messages {
	transport := attribute(attrTransport, []byte{17, 0, 0, 0})
	credentials := append(attribute(attrUsername, []byte(user)), attribute(attrRealm, []byte(realm))...)
	key := md5.Sum([]byte(user + ":" + realm + ":" + password))
	m := &messages{
		bare:  append(header(allocateRequest), transport...),
		begin: append(append(header(allocateRequest), transport...), credentials...),
		end:   append(append(header(refreshRequest), attribute(attrLifetime, make([]byte, 4))...), credentials...),
		who:   credentials,
		mac:   hmac.New(sha1.New, key[:]),
	}
	setLength(m.bare, len(m.bare))
	return m
}

func header(method uint16) []byte {
	h := make([]byte, headerSize)
	binary.BigEndian.PutUint16(h, method)
	binary.BigEndian.PutUint32(h[4:], magicCookie)
	return h
}

// attribute is one attribute, padded.
func attribute(kind uint16, value []byte) []byte {
	a := binary.BigEndian.AppendUint16(nil, kind)
	a = binary.BigEndian.AppendUint16(a, uint16(len(value)))
	a = append(a, value...)
	return append(a, make([]byte, -len(value)&3)...)
}

// setLength writes the length of a message that will be that many bytes long.
func setLength(message []byte, size int) {
	binary.BigEndian.PutUint16(message[2:], uint16(size-headerSize))
}

// ask appends an Allocate without credentials to dst, which is empty.
func (m *messages) ask(dst []byte) []byte {
	return m.number(append(dst, m.bare...))
}

// sign appends start, the nonce and the integrity to dst, which is empty.
func (m *messages) sign(dst, start, nonce []byte) []byte {
	dst = m.number(append(dst, start...))
	dst = binary.BigEndian.AppendUint16(dst, attrNonce)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(nonce)))
	dst = append(dst, nonce...)
	for len(dst)&3 != 0 {
		dst = append(dst, 0)
	}
	setLength(dst, len(dst)+integrityTotal)
	m.mac.Reset()
	m.mac.Write(dst)
	dst = append(dst, 0, attrIntegrity, 0, sha1.Size)
	return m.mac.Sum(dst)
}

// bind is a signed ChannelBind up to its NONCE.
func (m *messages) bind(channel uint16, peer netip.AddrPort) []byte {
	number := binary.BigEndian.AppendUint16(nil, channel)
	start := append(header(bindRequest), attribute(attrChannel, append(number, 0, 0))...)
	return append(append(start, attribute(attrPeer, masked(peer))...), m.who...)
}

// masked is the value of an attribute with an IPv4 address that is XORed with the
// magic cookie (RFC 8489 section 14.2).
func masked(a netip.AddrPort) []byte {
	ip := a.Addr().As4()
	value := binary.BigEndian.AppendUint16([]byte{0, 1}, a.Port()^magicCookie>>16)
	return binary.BigEndian.AppendUint32(value, binary.BigEndian.Uint32(ip[:])^magicCookie)
}

// unmasked is the other way round; the zero AddrPort where value is none.
func unmasked(value []byte) netip.AddrPort {
	if len(value) != 8 || value[1] != 1 {
		return netip.AddrPort{}
	}
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], binary.BigEndian.Uint32(value[4:])^magicCookie)
	return netip.AddrPortFrom(netip.AddrFrom4(ip), binary.BigEndian.Uint16(value[2:])^magicCookie>>16)
}

// number gives a message a transaction ID of its own.
func (m *messages) number(message []byte) []byte {
	m.counter++
	binary.BigEndian.PutUint64(message[transactionStart+4:], m.counter)
	return message
}

// answers says whether reply has the transaction ID of request.
func answers(reply, request []byte) bool {
	return len(reply) >= headerSize && string(reply[4:headerSize]) == string(request[4:headerSize])
}

// method is the type of a message of at least headerSize bytes.
func method(message []byte) uint16 { return binary.BigEndian.Uint16(message) }

// find is the value of the first attribute of that kind, or nil.
func find(message []byte, kind uint16) []byte {
	for rest := message[headerSize:]; len(rest) >= 4; {
		size := int(binary.BigEndian.Uint16(rest[2:]))
		next := 4 + size + -size&3
		if next > len(rest) {
			return nil
		}
		if binary.BigEndian.Uint16(rest) == kind {
			return rest[4 : 4+size]
		}
		rest = rest[next:]
	}
	return nil
}

// verdict describes an answer for an error message.
func verdict(message []byte) string {
	if e := find(message, attrError); len(e) >= 4 {
		return fmt.Sprintf("type %#04x, error %d %s", method(message), int(e[2])*100+int(e[3]), e[4:])
	}
	return fmt.Sprintf("type %#04x", method(message))
}

package turnserver

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/stun/v2"
)

// A request to pion is written into one buffer, which is used again for the
// next: two of them are made for each session.

// begin writes the header of a request; its length comes with its signature.
func (e *engine) begin(method stun.Method) {
	e.asked++
	b := binary.BigEndian.AppendUint16(e.request[:0], stun.NewType(method, stun.ClassRequest).Value())
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, magicCookie)
	b = append(b, 0, 0, 0, 0)
	e.request = binary.BigEndian.AppendUint64(b, e.asked)
}

// attribute appends one attribute with its padding.
func (e *engine) attribute(kind stun.AttrType, value []byte) {
	b := binary.BigEndian.AppendUint16(e.request, uint16(kind))
	b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
	b = append(b, value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	e.request = b
}

func (e *engine) lifetime(d time.Duration) {
	var v [4]byte
	binary.BigEndian.PutUint32(v[:], uint32(d/time.Second))
	e.attribute(stun.AttrLifetime, v[:])
}

func (e *engine) peer(addr netip.AddrPort) {
	var v [20]byte
	e.attribute(stun.AttrXORPeerAddress, putXORAddress(v[:0], addr, e.request[:headerSize]))
}

// sign appends the credentials that the engine and pion share, and sets the
// length (RFC 8489 section 14.5).
func (e *engine) sign() {
	e.attribute(stun.AttrUsername, []byte(engineUser))
	e.attribute(stun.AttrRealm, []byte(engineRealm))
	e.attribute(stun.AttrNonce, e.nonce)
	sum := integrityOf(e.key, e.request, len(e.request))
	e.attribute(stun.AttrMessageIntegrity, sum[:])
	binary.BigEndian.PutUint16(e.request[2:], uint16(len(e.request)-headerSize))
}

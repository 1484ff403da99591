package turnserver

import (
	"crypto/sha1" //nolint:gosec // MESSAGE-INTEGRITY is HMAC-SHA1, RFC 8489 section 14.5
	"encoding/binary"
	"hash"
	"sync"
)

// integrityMAC computes the HMAC-SHA1 of MESSAGE-INTEGRITY (RFC 2104, RFC 8489
// section 14.5). It is used again and again: crypto/hmac makes five objects a
// message.
type integrityMAC struct {
	hash hash.Hash
	pad  [sha1.BlockSize]byte
	sum  [sha1.Size]byte
	head [headerSize]byte
}

var integrityMACs = sync.Pool{New: func() any { return &integrityMAC{hash: sha1.New()} }}

// integrityOf is the MAC of a message whose MESSAGE-INTEGRITY is at offset at:
// what stands before it, with the length that the message has up to its end.
func integrityOf(key, raw []byte, at int) (sum [integritySize]byte) {
	m := integrityMACs.Get().(*integrityMAC)
	defer integrityMACs.Put(m)
	copy(m.head[:], raw)
	binary.BigEndian.PutUint16(m.head[2:], uint16(at+attributeHeader+integritySize-headerSize))
	m.begin(key, 0x36)
	m.hash.Write(m.head[:])
	m.hash.Write(raw[headerSize:at])
	inner := m.hash.Sum(m.sum[:0])
	m.begin(key, 0x5c)
	m.hash.Write(inner)
	m.hash.Sum(sum[:0])
	return sum
}

// begin starts a hash with the key, which is at most a block long: an MD5 or one
// of the engine's.
func (m *integrityMAC) begin(key []byte, with byte) {
	clear(m.pad[:])
	copy(m.pad[:], key)
	for i := range m.pad {
		m.pad[i] ^= with
	}
	m.hash.Reset()
	m.hash.Write(m.pad[:])
}

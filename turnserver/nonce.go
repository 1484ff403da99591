package turnserver

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"sync"
	"time"
)

const (
	// nonceLifetime is how long a nonce is good for (RFC 8656 section 5 wants at
	// most an hour).
	nonceLifetime = time.Hour
	nonceMAC      = 16
	nonceSize     = 4 + nonceMAC // seconds since the start, MAC
)

// nonces makes and checks the nonces that clients get. They hold no state: a
// nonce is the time it was made at and a MAC over that and the client's address
// and port, so that two clients never have the same one (RFC 8489 section
// 9.2.4). Its clock is the box's own, which no change of the wall clock moves.
type nonces struct{ macs *sync.Pool }

func newNonces() nonces {
	key := make([]byte, sha256.Size)
	rand.Read(key)
	return nonces{macs: &sync.Pool{New: func() any { return &nonceHash{Hash: hmac.New(sha256.New, key)} }}}
}

// nonceHash is a keyed MAC with room for its sum and what is written to it.
type nonceHash struct {
	hash.Hash
	sum [sha256.Size]byte
	in  [4 + 16 + 3]byte
}

// make is a nonce for this client at this time, as text.
func (n nonces) make(t tuple, now instant) string {
	var b [nonceSize]byte
	binary.BigEndian.PutUint32(b[:], uint32(time.Duration(now)/time.Second))
	mac := n.mac(b[:4], t)
	copy(b[4:], mac[:])
	return hex.EncodeToString(b[:])
}

// fresh says whether the nonce was made for this client less than nonceLifetime
// ago.
func (n nonces) fresh(text []byte, t tuple, now instant) bool {
	var b [nonceSize]byte
	if len(text) != hex.EncodedLen(nonceSize) {
		return false
	}
	if _, err := hex.Decode(b[:], text); err != nil {
		return false
	}
	mac := n.mac(b[:4], t)
	made := instant(time.Duration(binary.BigEndian.Uint32(b[:])) * time.Second)
	return hmac.Equal(b[4:], mac[:]) && made <= now && now.sub(made) < nonceLifetime
}

func (n nonces) mac(made []byte, t tuple) (mac [nonceMAC]byte) {
	h := n.macs.Get().(*nonceHash)
	defer n.macs.Put(h)
	addr := t.client.Addr().As16()
	in := append(h.in[:0], made...)
	in = append(in, addr[:]...)
	in = binary.BigEndian.AppendUint16(in, t.client.Port())
	in = append(in, byte(t.transport))
	h.Reset()
	h.Write(in)
	copy(mac[:], h.Sum(h.sum[:0]))
	return mac
}

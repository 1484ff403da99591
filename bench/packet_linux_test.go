package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"
)

// direction is which way a packet goes.
type direction byte

const (
	up   direction = iota // from client to peer
	down                  // from peer to client
)

func (d direction) String() string { return [...]string{"up", "down"}[d] }

// stamp is what the payload of a packet says about it.
type stamp struct {
	flow    uint32
	way     direction
	counted bool          // sent in the part of a run that is measured
	number  uint64        // counted up from 0, by flow and direction
	sent    time.Duration // when, by the wall clock, since the generator began
}

// A payload is a stamp of stampSize bytes, and then a piece of filler that its
// stamp chooses, so that no byte of it can change unseen.
const (
	stampSize   = 24
	channelSize = 4 // the header of ChannelData
	fillerSpan  = 1024
	largest     = 1500
)

var filler = func() []byte {
	text, random := make([]byte, fillerSpan+largest), rand.NewChaCha8([32]byte{})
	random.Read(text)
	return text
}()

// put writes a payload over all of b.
func (s *stamp) put(b []byte) {
	binary.BigEndian.PutUint32(b, s.flow)
	b[4], b[5] = byte(s.way), 0
	if s.counted {
		b[5] = 1
	}
	binary.BigEndian.PutUint16(b[6:], uint16(len(b)))
	binary.BigEndian.PutUint64(b[8:], s.number)
	binary.BigEndian.PutUint64(b[16:], uint64(s.sent))
	copy(b[stampSize:], s.filler())
}

func (s *stamp) filler() []byte {
	return filler[(uint64(s.flow)*31+s.number*7+uint64(s.way))%fillerSpan:]
}

// read takes a payload of that size apart. An error is damage.
func (s *stamp) read(b []byte, size int) error {
	if len(b) != size || int(binary.BigEndian.Uint16(b[6:])) != size {
		return fmt.Errorf("a payload has %d bytes, sent were %d", len(b), size)
	}
	s.flow, s.way, s.counted = binary.BigEndian.Uint32(b), direction(b[4]), b[5] == 1
	s.number, s.sent = binary.BigEndian.Uint64(b[8:]), time.Duration(binary.BigEndian.Uint64(b[16:]))
	if !bytes.Equal(b[stampSize:], s.filler()[:size-stampSize]) {
		return fmt.Errorf("payload %d of flow %d, %v: not the bytes that were sent", s.number, s.flow, s.way)
	}
	return nil
}

// putChannel writes the header of ChannelData with that much payload over b.
func putChannel(b []byte, channel uint16, size int) {
	binary.BigEndian.PutUint16(b, channel)
	binary.BigEndian.PutUint16(b[2:], uint16(size))
}

// takeChannel is the payload of ChannelData. An error is a wrong header.
func takeChannel(b []byte, channel uint16) ([]byte, error) {
	if len(b) < channelSize {
		return nil, fmt.Errorf("%d bytes are no ChannelData", len(b))
	}
	got, size := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
	if got != channel {
		return nil, fmt.Errorf("channel %#x on the socket of %#x", got, channel)
	}
	// Over UDP padding is allowed (RFC 8656 section 12.5).
	if rest := len(b) - channelSize - size; rest < 0 || rest > 3 {
		return nil, fmt.Errorf("ChannelData of %d bytes says that it has %d", len(b)-channelSize, size)
	}
	return b[channelSize : channelSize+size], nil
}

// track follows the packets of one flow in one direction.
type track struct {
	next   uint64 // to be sent
	begun  uint64 // next at the begin of a run
	newest uint64 // of those that came, and one more
	seen   uint64 // of the 64 before newest, those that came: bit 0 is the newest
}

// arrival is how a packet comes after those before.
type arrival byte

const (
	inOrder arrival = iota
	reordered
	duplicate
	stale  // of a run before
	unsent // it says a number that was never sent
)

// arrive notes a number. Of packets that are more than 64 late it is not known
// whether they came before: they count as reordered.
func (t *track) arrive(number uint64) arrival {
	switch {
	case number >= t.next:
		return unsent
	case number < t.begun:
		return stale
	case number >= t.newest:
		t.seen = t.seen<<(number+1-t.newest) | 1
		t.newest = number + 1
		return inOrder
	}
	bit := uint64(1) << (t.newest - 1 - number)
	if t.seen&bit != 0 {
		return duplicate
	}
	t.seen |= bit
	return reordered
}

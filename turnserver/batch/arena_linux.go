package batch

import (
	"fmt"

	"golang.org/x/sys/unix"
)

const (
	// payloadSize is the largest UDP payload, or train of them, with a byte to spare.
	payloadSize = 1 << 16
	// spreading is what a train needs more when each of its datagrams has Headroom.
	spreading = maxMerged * Headroom
	// slotStride sets slots apart by a number of cache lines that is no multiple
	// of a page, so that the heads of neighbours are in different cache sets.
	slotStride = payloadSize + spreading + Headroom + 13*64

	// Headroom is how many bytes stand before each datagram of a peer that the
	// Handler is given, for it to build in place what goes out. In a train, what is
	// written behind one is in the Headroom of the next.
	Headroom = 64
	// tailroom is how many there are at least behind the last one.
	tailroom = 4
)

// arena is the memory that a worker receives into, outside of Go's heap: slots
// of one size, of which only the pages that were ever used are there.
type arena struct{ memory []byte }

func newArena(slots int) (*arena, error) {
	memory, err := unix.Mmap(-1, 0, slots*slotStride, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, fmt.Errorf("memory for %d datagrams: %w", slots, err)
	}
	return &arena{memory}, nil
}

// slot is a whole slot: Headroom, the payload, and room behind it.
func (a *arena) slot(i int) []byte {
	return a.memory[i*slotStride : i*slotStride+Headroom+payloadSize+spreading+tailroom : (i+1)*slotStride]
}

func (a *arena) free() { unix.Munmap(a.memory) }

package turnserver

import "sync"

const (
	// headroom is what a Data indication needs in front of its payload: header,
	// XOR-PEER-ADDRESS of IPv6, the head of DATA.
	headroom = headerSize + 24 + attributeHeader
	// tailroom is for padding to a multiple of four.
	tailroom   = 3
	maxPayload = 65535
)

// buffer holds one datagram of a peer with room around it, so that what the
// client gets is built in place.
type buffer struct {
	b [headroom + maxPayload + tailroom]byte
}

// buffers are shared by all relays: only what is being passed on needs one.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

func takeBuffer() *buffer { return buffers.Get().(*buffer) }
func (b *buffer) give()   { buffers.Put(b) }

// room is where the payload goes.
func (b *buffer) room() []byte { return b.b[headroom : headroom+maxPayload] }

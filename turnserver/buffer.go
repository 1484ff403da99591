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

// buffer holds one datagram with room around it, so that what the client gets is
// built in place: a room of the plain path.
type buffer [headroom + maxPayload + tailroom]byte

// buffers are shared by all relays: only what is being passed on needs one.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

func takeBuffer() []byte     { return buffers.Get().(*buffer)[:] }
func giveBuffer(room []byte) { buffers.Put((*buffer)(room)) }

// payloadOf is where the payload goes in a room.
func payloadOf(room []byte) []byte { return room[headroom : len(room)-tailroom] }

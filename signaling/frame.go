package signaling

import (
	"encoding/binary"
	"strconv"

	"github.com/gorilla/websocket"
)

// maxHeader is the longest header of a frame that a server sends: no mask.
const maxHeader = 10

// maxEnvelope is what a message can be longer than it came: a header, and in a room
// its seq, at most 20 digits, and from.
const maxEnvelope int64 = maxHeader + int64(len(`"seq":,"from":"",`)) + 20 + idLength

// finalBit says that the frame is a whole message (RFC 6455 5.2).
const finalBit = 1 << 7

// frame is one whole frame as it goes over the wire to a client. It is encoded
// once, shared by all who get it, and never changed.
//
// A numbered frame is a JSON object that lacks its beginning, {"seq":N, and its
// header: each receiver has a count of its own, so those are made while it is
// written (item), and the rest is shared all the same.
type frame struct {
	wire     []byte
	numbered bool
}

// newFrame encodes payload as one unmasked frame (RFC 6455 5.2). A control
// frame's payload is at most 125 bytes.
func newFrame(opcode byte, payload []byte) *frame {
	b := make([]byte, 0, headerSize(len(payload))+len(payload))
	b = appendHeader(b, opcode, len(payload))
	return &frame{wire: append(b, payload...)}
}

// appendHeader appends the header of a whole message of n bytes.
func appendHeader(b []byte, opcode byte, n int) []byte {
	b = append(b, finalBit|opcode)
	switch {
	case n <= 125:
		return append(b, byte(n))
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
}

func headerSize(payload int) int {
	switch {
	case payload <= 125:
		return 2
	case payload <= 0xffff:
		return 4
	}
	return maxHeader
}

// seqField begins a numbered message.
const seqField = `{"seq":`

// item is one frame for one receiver.
type item struct {
	frame *frame
	seq   uint64 // of a numbered frame; it is then at least 1
}

// size is how many bytes go over the wire.
func (it item) size() int {
	if !it.frame.numbered {
		return len(it.frame.wire)
	}
	n := it.payload()
	return headerSize(n) + n
}

func (it item) payload() int {
	return len(seqField) + digits(it.seq) + len(",") + len(it.frame.wire)
}

// appendHead appends what goes before the shared part, at most 38 bytes.
func (it item) appendHead(b []byte) []byte {
	if !it.frame.numbered {
		return b
	}
	b = appendHeader(b, websocket.TextMessage, it.payload())
	b = append(b, seqField...)
	b = strconv.AppendUint(b, it.seq, 10)
	return append(b, ',')
}

// digits is how long n is in decimal. It is asked several times a delivery, and
// dividing takes long.
func digits(n uint64) int {
	count := 1
	for power := uint64(10); n >= power && count < 20; power *= 10 {
		count++
	}
	return count
}

// closeFrame ends a socket with a code and a short text (RFC 6455 5.5.1).
func closeFrame(code int, text string) *frame {
	return newFrame(websocket.CloseMessage, websocket.FormatCloseMessage(code, text))
}

// pingFrame is the one ping that all sockets share. Pings carry nothing: any
// sign of life will do.
var pingFrame = newFrame(websocket.PingMessage, nil)

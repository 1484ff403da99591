package signaling

import (
	"encoding/binary"

	"github.com/gorilla/websocket"
)

// maxHeader is the longest header of a frame that a server sends: no mask.
const maxHeader = 10

// finalBit says that the frame is a whole message (RFC 6455 5.2).
const finalBit = 1 << 7

// frame is one whole frame as it goes over the wire to a client. It is encoded
// once, shared by all who get it, and never changed.
type frame struct {
	wire []byte
}

// newFrame encodes payload as one unmasked frame (RFC 6455 5.2). A control
// frame's payload is at most 125 bytes.
func newFrame(opcode byte, payload []byte) *frame {
	b := make([]byte, 0, headerSize(len(payload))+len(payload))
	b = append(b, finalBit|opcode)
	switch n := len(payload); {
	case n <= 125:
		b = append(b, byte(n))
	case n <= 0xffff:
		b = append(b, 126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, 127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return &frame{append(b, payload...)}
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

// closeFrame ends a socket with a code and a short text (RFC 6455 5.5.1).
func closeFrame(code int, text string) *frame {
	return newFrame(websocket.CloseMessage, websocket.FormatCloseMessage(code, text))
}

// pingFrame is the one ping that all sockets share. Pings carry nothing: any
// sign of life will do.
var pingFrame = newFrame(websocket.PingMessage, nil)

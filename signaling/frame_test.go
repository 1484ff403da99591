package signaling

import (
	"bytes"
	"testing"

	"github.com/gorilla/websocket"
)

// TestFrameHeaders: the shortest form of the length (RFC 6455 5.2), no mask, and
// not a byte more than needed.
func TestFrameHeaders(t *testing.T) {
	table := []struct {
		size   int
		header []byte
	}{
		{0, []byte{0x81, 0}},
		{1, []byte{0x81, 1}},
		{125, []byte{0x81, 125}},
		{126, []byte{0x81, 126, 0, 126}},
		{65535, []byte{0x81, 126, 0xff, 0xff}},
		{65536, []byte{0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
	}
	for _, row := range table {
		text := bytes.Repeat([]byte{'x'}, row.size)
		f := newFrame(websocket.TextMessage, text)
		if !bytes.Equal(f.wire, append(row.header, text...)) {
			t.Errorf("%d bytes begin with %x, want %x", row.size, f.wire[:min(len(f.wire), 10)], row.header)
		}
		if cap(f.wire) > len(f.wire)+len(f.wire)/4+16 {
			t.Errorf("a frame of %d bytes holds %d", len(f.wire), cap(f.wire))
		}
	}
}

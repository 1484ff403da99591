package turnserver

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	channelHeader = 4 // channel number and length, RFC 8656 section 12.4
	maxFrame      = headerSize + 65535
	// strangerFrame bounds what one who has not authenticated may send at once:
	// a request of his is far smaller.
	strangerFrame = 4096
)

var errFraming = errors.New("neither STUN nor ChannelData on the stream")

// frames splits a stream into STUN messages and ChannelData (RFC 8656 sections
// 5 and 12.5). It trusts nothing but the two length fields, and those only up
// to a bound.
type frames struct {
	in  *bufio.Reader
	buf []byte
}

func newFrames(in io.Reader) *frames {
	return &frames{in: bufio.NewReaderSize(in, 2048)}
}

// wait blocks until the first byte of the next frame is there.
func (f *frames) wait() error {
	_, err := f.in.Peek(1)
	return err
}

// buffered says whether the next frame is there as a whole.
func (f *frames) buffered() bool {
	head, _ := f.in.Peek(min(f.in.Buffered(), channelHeader))
	if len(head) < channelHeader {
		return false
	}
	_, padded, err := frameSize(head)
	return err == nil && padded <= f.in.Buffered()
}

// next reads one frame of at most limit bytes, padding of ChannelData left off.
// The slice is good until the next call. A stream that is out of step or a frame
// over the limit is an error, after which nothing more can be read.
func (f *frames) next(limit int) ([]byte, error) {
	head, err := f.in.Peek(channelHeader)
	if err != nil {
		return nil, err
	}
	size, padded, err := frameSize(head)
	if err != nil {
		return nil, err
	}
	if padded > limit {
		return nil, fmt.Errorf("a frame of %d bytes, %d are allowed here", padded, limit)
	}
	if cap(f.buf) < padded {
		f.buf = make([]byte, max(padded, 2048))
	}
	buf := f.buf[:padded]
	if _, err := io.ReadFull(f.in, buf); err != nil {
		return nil, err
	}
	return buf[:size], nil
}

// frameSize tells from the first four bytes how long a frame is, without and
// with the padding that ChannelData has on streams.
func frameSize(head []byte) (size, padded int, err error) {
	length := int(binary.BigEndian.Uint16(head[2:]))
	switch {
	case head[0] < 4:
		if length%4 != 0 {
			return 0, 0, errFraming
		}
		return headerSize + length, headerSize + length, nil
	case head[0] >= 0x40 && head[0] <= 0x4F:
		size = channelHeader + length
		return size, (size + 3) &^ 3, nil
	}
	return 0, 0, errFraming
}

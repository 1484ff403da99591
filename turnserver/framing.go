package turnserver

import (
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
	in    io.Reader
	own   []byte // for what comes while little comes
	room  []byte // a buffer of all streams, for what comes while much comes, or nil
	buf   []byte // own or room
	first int    // of buf, what has been read and is not handled
	end   int
}

func newFrames(in io.Reader) *frames {
	f := &frames{in: in, own: make([]byte, 2048)}
	f.buf = f.own
	return f
}

// close gives back what frames has taken.
func (f *frames) close() {
	if f.room != nil {
		giveBuffer(f.room)
		f.room = nil
	}
	f.buf, f.first, f.end = f.own, 0, 0
}

// empty says that nothing is there of a next frame.
func (f *frames) empty() bool { return f.first == f.end }

// next is the next frame, of at most limit bytes, padding of ChannelData left off;
// nil: not all of it is there, and fill is due. The slice is good until then. A stream
// that is out of step or a frame over the limit is an error, after which nothing more
// can be read.
func (f *frames) next(limit int) ([]byte, error) {
	rest := f.buf[f.first:f.end]
	if len(rest) < channelHeader {
		return nil, nil
	}
	size, padded, err := frameSize(rest)
	if err != nil {
		return nil, err
	}
	if padded > limit {
		return nil, fmt.Errorf("a frame of %d bytes, %d are allowed here", padded, limit)
	}
	if padded > len(rest) {
		return nil, nil
	}
	f.first += padded
	return rest[:size], nil
}

// fill reads once, and waits for that. The limit is that of next. It is io.EOF only where
// a frame has ended.
func (f *frames) fill(limit int) error {
	f.makeRoom(limit)
	n, err := f.in.Read(f.buf[f.end:])
	f.end += n
	switch {
	case n > 0:
		return nil // an error comes again
	case err == io.EOF && !f.empty():
		return io.ErrUnexpectedEOF
	}
	return err
}

// makeRoom has the buffer begin with what is there of a frame. A full one gets a larger
// successor until everything is handled.
func (f *frames) makeRoom(limit int) {
	rest := f.buf[f.first:f.end]
	full := f.end == len(f.buf) && f.room == nil
	switch {
	case len(rest) == 0 && (!full || limit <= strangerFrame):
		f.close()
		return
	case !full || limit <= strangerFrame && len(f.own) == strangerFrame:
	case limit <= strangerFrame:
		f.own = make([]byte, strangerFrame)
		f.buf = f.own
	default:
		f.room = takeBuffer()
		f.buf = f.room
	}
	f.first, f.end = 0, copy(f.buf, rest)
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

package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// overTCP begins the kinds of packets whose client is one over TCP.
const overTCP = "tcp-"

// streamCases are those with clients over TCP.
func streamCases() []traffic {
	return []traffic{
		{"tcp-singles", 20, "up", 2000},
		{"tcp-singles", 20, "up", 20000},
		{"tcp-singles", 20, "down", 20000},
		{"tcp-trains", 20, "up", 60000},
		{"tcp-trains", 20, "down", 60000},
	}
}

// socket is the type of the clients' sockets.
func (t traffic) socket() int {
	if strings.HasPrefix(t.kind, overTCP) {
		return unix.SOCK_STREAM
	}
	return unix.SOCK_DGRAM
}

// promptly has a client's connection send what is written at once, and leave its port
// free when it is closed.
func promptly(fd int) error {
	err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err == nil {
		err = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	return err
}

// padded is the size of a frame on a stream: a multiple of four (RFC 8656 section 12.5).
func padded(size int) int { return (size + 3) &^ 3 }

// frameSize is the size of the frame that b begins with, padding included: ChannelData or
// a STUN message. Of too little to tell it is more than there is.
func frameSize(b []byte) (int, error) {
	if len(b) < channelSize {
		return channelSize, nil
	}
	size := int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case b[0] < 4:
		return headerSize + size, nil
	case b[0] >= 0x40 && b[0] < 0x50:
		return channelSize + padded(size), nil
	}
	return 0, fmt.Errorf("a stream is out of step: % x begins no frame", b[:channelSize])
}

// readFrame reads one frame from a stream, once it is there as a whole, and nothing of
// what comes after it.
func readFrame(fd int, b []byte) (int, error) {
	n, _, err := unix.Recvfrom(fd, b, unix.MSG_PEEK)
	if err == nil && n == 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, err
	}
	size, err := frameSize(b[:n])
	if err == nil && size > n {
		err = unix.EAGAIN
	}
	if err != nil {
		return 0, err
	}
	return unix.Read(fd, b[:size])
}

// stream is a client's end of a connection, while packets are relayed.
type stream struct {
	in      []byte // what has come; before begin it is taken
	begin   int
	out     []byte // what was put; before sent the kernel has taken it
	sent    int
	counted int // the last bytes of out that are not sent: of packets of the counting phase
}

// add puts a piece behind what came before.
func (s *stream) add(piece []byte) {
	s.in = append(s.in[:copy(s.in, s.in[s.begin:])], piece...)
	s.begin = 0
}

// next takes a whole frame, if there is one. It is good until the next add.
func (s *stream) next() ([]byte, error) {
	rest := s.in[s.begin:]
	size, err := frameSize(rest)
	if err != nil || size > len(rest) {
		return nil, err
	}
	s.begin += size
	return rest[:size], nil
}

// put writes what waits, and then b. What the kernel does not take waits.
func (s *stream) put(fd int, b []byte, counted bool) error {
	s.out = append(s.out, b...)
	if counted {
		s.counted += len(b)
	}
	return s.flush(fd)
}

// flush writes what waits, as much as the kernel takes.
func (s *stream) flush(fd int) error {
	if len(s.out) == 0 {
		return nil
	}
	rest := s.out[s.sent:]
	n, err := rawCall(unix.SYS_SENDTO, fd, unsafe.Pointer(&rest[0]), len(rest), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	if err != nil {
		return err
	}
	s.sent += n
	s.counted = min(s.counted, len(s.out)-s.sent)
	if 2*s.sent >= len(s.out) { // else what waits would be moved more often than it is sent
		s.out, s.sent = s.out[:copy(s.out, s.out[s.sent:])], 0
	}
	return nil
}

// flush writes what waits in streams.
func (g *generator) flush() error {
	for i := range g.streams {
		if err := g.streams[i].flush(g.from(i, up)); err != nil {
			return fmt.Errorf("send what waits of flow %d: %w", i, err)
		}
	}
	return nil
}

// waiting is how many packets of the counting phase the kernel has not taken whole.
func (g *generator) waiting() (packets uint64) {
	for _, s := range g.streams {
		packets += uint64((s.counted + g.out[up].stride - 1) / g.out[up].stride)
	}
	return packets
}

// pieced judges the packets that a piece of a flow's stream completes.
func (g *generator) pieced(flow int, piece []byte, came time.Time) (packets int, err error) {
	if len(piece) == 0 {
		return 0, errors.New("the server hung up")
	}
	if came.IsZero() { // the kernel says it a little after it is asked to
		came = time.Now()
	}
	s := &g.streams[flow]
	s.add(piece)
	for {
		frame, err := s.next()
		if err != nil || frame == nil {
			return packets, err
		}
		if err := g.arrived(flow, down, frame, g.wall(came)); err != nil {
			return packets, err
		}
		packets++
	}
}

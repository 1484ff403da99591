//go:build linux

package conformance

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"
)

// link is one client 5-tuple: it sends bytes as they are and receives whole
// messages, one datagram or one frame each.
type link struct {
	conn   net.Conn
	stream bool
	frames chan []byte // closed when the connection has ended
}

func newLink(conn net.Conn, stream bool) *link {
	l := &link{conn: conn, stream: stream, frames: make(chan []byte, 4096)}
	go l.read()
	return l
}

func (l *link) read() {
	defer close(l.frames)
	if l.stream {
		l.readStream()
	} else {
		l.readDatagrams()
	}
}

func (l *link) readDatagrams() {
	buf := make([]byte, 65536)
	for {
		n, err := l.conn.Read(buf)
		switch {
		case err == nil:
			l.frames <- append([]byte(nil), buf[:n]...)
		case errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF):
			return
		} // else an ICMP error of a packet before: the socket lives
	}
}

func (l *link) readStream() {
	r := bufio.NewReaderSize(l.conn, 1<<17)
	for {
		frame, err := readFrame(r)
		if err != nil {
			return
		}
		l.frames <- frame
	}
}

// readFrame reads one STUN message or one ChannelData with its padding (RFC
// 8656 §12.5, RFC 8489 §6.2.2).
func readFrame(r io.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	rest := int(binary.BigEndian.Uint16(head[2:]))
	if head[0]&0xC0 == 0 {
		rest += headerSize - 4
	} else {
		rest = (rest + 3) &^ 3
	}
	frame := append(head, make([]byte, rest)...)
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}

func (l *link) send(b []byte) error {
	l.conn.SetWriteDeadline(time.Now().Add(patience))
	_, err := l.conn.Write(b)
	return err
}

func (l *link) local() netip.AddrPort { return addrPort(l.conn.LocalAddr()) }

func (l *link) close() { l.conn.Close() }

func addrPort(a net.Addr) netip.AddrPort {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		panic("not an address and port: " + a.String())
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

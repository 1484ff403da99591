//go:build !linux

package turnserver

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// canDontFragment: there is no portable way to set the DF bit of one datagram,
// so DONT-FRAGMENT is answered with 420 (RFC 8656 section 7.2).
const canDontFragment = false

func controlRelay(string, string, syscall.RawConn) error { return nil }

func (s *sender) sendUnfragmented([]byte, netip.AddrPort) error { return errors.ErrUnsupported }

// read passes on what peers send until the socket is closed.
func (r *plainRelay) read() {
	s := r.session
	room := takeBuffer()
	defer giveBuffer(room)
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(payloadOf(room))
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil:
			s.passDown(room, n, unmap(from))
		default:
			time.Sleep(time.Millisecond) // a peer's ICMP, or a shortage that passes
		}
	}
}

//go:build !linux

package turnserver

import (
	"net"
	"net/netip"
)

// sender sends datagrams on one UDP socket.
type sender struct{ conn *net.UDPConn }

func newSender(conn *net.UDPConn) (*sender, error) { return &sender{conn: conn}, nil }

// send sends one datagram. Where the kernel has no room, it waits for some.
func (s *sender) send(packet, _ []byte, to netip.AddrPort) error {
	_, err := s.conn.WriteToUDPAddrPort(packet, to)
	return err
}

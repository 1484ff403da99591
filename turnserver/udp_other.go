//go:build !linux

package turnserver

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// Elsewhere one socket serves an address, and a wildcard one answers from the
// address that the kernel chooses.

const controlSize = 0

func udpSockets() int { return 1 }

func controlShared(string, string, syscall.RawConn) error { return nil }

func askDestination(*net.UDPConn) error { return errors.ErrUnsupported }

func destination([]byte) (netip.Addr, bool) { return netip.Addr{}, false }

func source(netip.Addr, bool) []byte { return nil }

// growBuffers asks for listenBuffer in both directions.
func growBuffers(conn *net.UDPConn) {
	conn.SetReadBuffer(listenBuffer)
	conn.SetWriteBuffer(listenBuffer)
}

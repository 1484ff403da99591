//go:build !unix

package nowait

import (
	"net"
	"syscall"
)

// rawOf finds no way to write without waiting.
func rawOf(net.Conn) syscall.RawConn { return nil }

// give and await are never called.
func give(syscall.RawConn, []byte) (int, error)          { return 0, syscall.EINVAL }
func await(syscall.RawConn, []byte, func()) (int, error) { return 0, syscall.EINVAL }

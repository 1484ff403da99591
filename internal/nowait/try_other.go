//go:build !unix

package nowait

import (
	"net"
	"syscall"
)

// rawOf finds no way to write without waiting.
func rawOf(net.Conn) syscall.RawConn { return nil }

// try is never called.
func try(syscall.RawConn, []byte) (int, error) { return 0, syscall.EINVAL }

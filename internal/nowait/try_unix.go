//go:build unix

package nowait

import (
	"net"
	"os"
	"sync"
	"syscall"
)

// rawOf is the way to the descriptor of c; nil where there is none.
func rawOf(c net.Conn) syscall.RawConn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// attempt is one write. They are used again, since what a RawConn calls is on the
// heap.
type attempt struct {
	b     []byte
	taken int
	err   error
	write func(fd uintptr) (done bool)
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.write = func(fd uintptr) bool {
		for {
			a.taken, a.err = syscall.Write(int(fd), a.b)
			if a.err != syscall.EINTR {
				return true // whatever it says: no waiting
			}
		}
	}
	return a
}}

// try gives the kernel what it takes of b at once, and says how much that was.
func try(raw syscall.RawConn, b []byte) (taken int, err error) {
	a := attempts.Get().(*attempt)
	defer attempts.Put(a)
	a.b, a.taken, a.err = b, 0, nil
	err = raw.Write(a.write)
	taken, failed := max(a.taken, 0), a.err
	a.b = nil
	switch {
	case err != nil:
		return taken, err
	case failed == syscall.EAGAIN:
		return 0, nil
	}
	return taken, os.NewSyscallError("write", failed)
}

//go:build unix

package nowait

import (
	"io"
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

// attempt is one system call. They are used again, since what a RawConn calls is on
// the heap.
type attempt struct {
	b           []byte
	n           int
	err         error
	read, write func(fd uintptr) (done bool)
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	once := func(call func(fd int, b []byte) (int, error)) func(uintptr) bool {
		return func(fd uintptr) bool {
			for {
				a.n, a.err = call(int(fd), a.b)
				if a.err != syscall.EINTR {
					return true // whatever it says: no waiting
				}
			}
		}
	}
	a.read, a.write = once(syscall.Read), once(syscall.Write)
	return a
}}

// give gives the kernel what it takes of b at once, and says how much that was.
func give(raw syscall.RawConn, b []byte) (taken int, err error) {
	a := attempts.Get().(*attempt)
	defer attempts.Put(a)
	return a.result(b, "write", raw.Write, a.write)
}

// look reads what is there already: nothing, with neither a number nor an error, where
// Read would wait. Of an empty b nothing is said.
func look(raw syscall.RawConn, b []byte) (n int, err error) {
	a := attempts.Get().(*attempt)
	defer attempts.Put(a)
	n, err = a.result(b, "read", raw.Read, a.read)
	if n == 0 && err == nil && a.err == nil && len(b) > 0 {
		return 0, io.EOF
	}
	return n, err
}

// result makes the attempt. That nothing was possible is no error.
func (a *attempt) result(b []byte, name string, try func(func(uintptr) bool) error, call func(uintptr) bool) (int, error) {
	a.b, a.n, a.err = b, 0, nil
	err := try(call)
	a.b = nil
	switch {
	case err != nil:
		return max(a.n, 0), err
	case a.err == syscall.EAGAIN:
		return 0, nil
	}
	return max(a.n, 0), os.NewSyscallError(name, a.err)
}

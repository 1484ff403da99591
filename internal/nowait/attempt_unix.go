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

// attempt is one call of a RawConn. They are used again, since what that calls is on
// the heap.
type attempt struct {
	b           []byte
	n           int
	err         error
	idle        func() // to be called before the first wait
	read, write func(fd uintptr) (done bool)
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.write = func(fd uintptr) bool {
		a.call(sysWrite, fd)
		return true // whatever it says: no waiting
	}
	a.read = func(fd uintptr) bool {
		if a.call(sysRead, fd); a.err != syscall.EAGAIN {
			return true
		}
		if a.idle != nil {
			a.idle()
			a.idle = nil
		}
		return false
	}
	return a
}}

func (a *attempt) call(call func(fd int, b []byte) (int, error), fd uintptr) {
	for {
		if a.n, a.err = call(int(fd), a.b); a.err != syscall.EINTR {
			return
		}
	}
}

// give gives the kernel what it takes of b at once, and says how much that was.
func give(raw syscall.RawConn, b []byte) (taken int, err error) {
	a := attempts.Get().(*attempt)
	defer attempts.Put(a)
	a.b = b
	if err := a.end(raw.Write(a.write)); err != nil || a.err == syscall.EAGAIN {
		return max(a.n, 0), err
	}
	return max(a.n, 0), os.NewSyscallError("write", a.err)
}

// await reads what is there. Where nothing is, it calls idle, which may be nil, and waits.
func await(raw syscall.RawConn, b []byte, idle func()) (n int, err error) {
	a := attempts.Get().(*attempt)
	defer attempts.Put(a)
	a.b, a.idle = b, idle
	if err := a.end(raw.Read(a.read)); err != nil {
		return 0, err
	}
	if a.n == 0 && a.err == nil {
		return 0, io.EOF
	}
	return max(a.n, 0), os.NewSyscallError("read", a.err)
}

// end lets go of what was handed in.
func (a *attempt) end(err error) error {
	a.b, a.idle = nil, nil
	if err != nil {
		a.n, a.err = 0, nil
	}
	return err
}

//go:build unix

package nowait

import (
	"errors"
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
	once        bool // read does not wait, as write never does
	read, write func(fd uintptr) (done bool)
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.write = func(fd uintptr) bool {
		a.call(sysWrite, fd)
		return true // whatever it says: no waiting
	}
	a.read = func(fd uintptr) bool {
		a.call(sysRead, fd)
		return a.err != syscall.EAGAIN || a.once
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
// idle is called between two raw.Read, since whoever closes the connection waits for those:
// it may close it itself, or wait for somebody who does.
func await(raw syscall.RawConn, b []byte, idle func()) (n int, err error) {
	a := attempts.Get().(*attempt)
	defer attempts.Put(a)
	if idle != nil {
		if n, err = a.look(raw, b, true); err != errWouldWait {
			return n, err
		}
		idle()
	}
	return a.look(raw, b, false)
}

// errWouldWait is how look ends where it may not wait and would have to.
var errWouldWait = errors.New("nothing is there")

// look reads, and waits for that unless once.
func (a *attempt) look(raw syscall.RawConn, b []byte, once bool) (n int, err error) {
	a.b, a.once = b, once
	if err := a.end(raw.Read(a.read)); err != nil {
		return 0, err
	}
	switch {
	case a.err == syscall.EAGAIN:
		return 0, errWouldWait
	case a.n == 0 && a.err == nil:
		return 0, io.EOF
	}
	return max(a.n, 0), os.NewSyscallError("read", a.err)
}

// end lets go of what was handed in.
func (a *attempt) end(err error) error {
	a.b = nil
	if err != nil {
		a.n, a.err = 0, nil
	}
	return err
}

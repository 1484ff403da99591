package natlab

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// threadNamespace is the network namespace of the thread that opens it.
const threadNamespace = "/proc/thread-self/ns/net"

// namespace is a network namespace that has no name: it is there as long as the
// file is open, or a process or a socket is inside.
type namespace struct{ file *os.File }

func newNamespace() (*namespace, error) {
	type result struct {
		ns  *namespace
		err error
	}
	made := make(chan result)
	go func() {
		// The thread is never unlocked, so it ends with this goroutine.
		runtime.LockOSThread()
		ns, err := unshare()
		made <- result{ns, err}
	}()
	r := <-made
	return r.ns, r.err
}

// unshare moves the calling thread into a new namespace.
func unshare() (*namespace, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, os.NewSyscallError("unshare", err)
	}
	f, err := os.Open(threadNamespace)
	if err != nil {
		return nil, err
	}
	return &namespace{f}, nil
}

// path names the namespace for other programs as long as it is open.
func (n *namespace) path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), int(n.file.Fd()))
}

// do calls fn on a thread that is inside, and brings the thread back however fn
// ends, a panic or t.FailNow included.
func (n *namespace) do(fn func() error) error {
	runtime.LockOSThread()
	outside, err := os.Open(threadNamespace)
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer outside.Close()
	if err := enter(n.file); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer func() {
		// A thread that can't go back stays locked, and ends with its goroutine.
		if err := enter(outside); err != nil {
			panic(fmt.Sprintf("natlab: leaving a namespace: %v", err))
		}
		runtime.UnlockOSThread()
	}()
	return fn()
}

func enter(f *os.File) error {
	return os.NewSyscallError("setns", unix.Setns(int(f.Fd()), unix.CLONE_NEWNET))
}

func (n *namespace) close() error { return n.file.Close() }

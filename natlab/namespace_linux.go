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

// newNamespace makes an empty namespace. The thread that makes it comes back,
// like that of do: were it ended, processes that it has started would be killed
// (see bind).
func newNamespace() (*namespace, error) {
	var ns *namespace
	err := aside(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("unshare", err)
		}
		f, err := os.Open(threadNamespace)
		ns = &namespace{f}
		return err
	})
	return ns, err
}

// path names the namespace for other programs as long as it is open.
func (n *namespace) path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), int(n.file.Fd()))
}

// do calls fn on a thread that is inside.
func (n *namespace) do(fn func() error) error {
	return aside(func() error {
		if err := enter(n.file); err != nil {
			return err
		}
		return fn()
	})
}

// aside calls fn, which may go to another namespace, on a thread of its own, and
// brings the thread back however fn ends, a panic or t.FailNow included.
func aside(fn func() error) error {
	runtime.LockOSThread()
	home, err := os.Open(threadNamespace)
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	defer func() {
		// A thread that can't go back stays locked, and ends with its goroutine.
		if err := enter(home); err != nil {
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

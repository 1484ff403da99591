package batch

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls of the workers. All are raw: the scheduler is not told, so a
// worker keeps its P while it waits, and is back from a wait at once. Whoever
// calls one in a loop has to let the scheduler in by himself (Worker.doze).

// mmsghdr is struct mmsghdr.
type mmsghdr struct {
	header unix.Msghdr
	length uint32
}

// recvmmsg reads up to len(messages) datagrams without waiting. Where there is
// none, it returns 0. An error can be that of a datagram sent before: then what has
// come is read at once, since epoll does not tell of it again.
func recvmmsg(fd int, messages []mmsghdr) (int, syscall.Errno) {
	var errno syscall.Errno
	for range 2 {
		var n uintptr
		n, _, errno = unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&messages[0])),
			uintptr(len(messages)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(n), 0
		case unix.EAGAIN, unix.EINTR:
			return 0, 0
		}
	}
	return 0, errno
}

// sendmmsg sends the first messages and says how many; an error is that of the
// first.
func sendmmsg(fd int, messages []mmsghdr) (int, syscall.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&messages[0])),
			uintptr(len(messages)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		if errno == 0 {
			return int(n), 0
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

// sendto sends one datagram.
func sendto(fd int, payload []byte, to *sockaddr) syscall.Errno {
	for {
		_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(payload))),
			uintptr(len(payload)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(to.pointer())), uintptr(to.size()))
		if errno != unix.EINTR {
			return errno
		}
	}
}

// epollWait waits for events, for good where timeout is -1.
func epollWait(fd int, events []unix.EpollEvent, timeout int) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(fd), uintptr(unsafe.Pointer(&events[0])),
		uintptr(len(events)), uintptr(timeout), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

//go:build !race

package nowait

import (
	"syscall"
	"unsafe"
)

// sysRead and sysWrite are for descriptors that never wait. The calls are raw: the
// scheduler is not told of them, which else wakes its monitor each time that the process
// was idle before.
func sysRead(fd int, b []byte) (int, error)  { return raw(syscall.SYS_READ, fd, b) }
func sysWrite(fd int, b []byte) (int, error) { return raw(syscall.SYS_WRITE, fd, b) }

func raw(call uintptr, fd int, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

package bench

import (
	"encoding/binary"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	header unix.Msghdr
	size   uint32
}

// batch are messages for one system call, each with a buffer of its own. The
// calls are raw: they never wait, and the scheduler need not know about them.
type batch struct {
	messages []mmsghdr
	buffers  []unix.Iovec
	space    []byte // of all buffers, one after the other
	stride   int
	controls [][controlRoom]byte // what the kernel says of those that are received
}

// controlRoom holds when a message came (SO_TIMESTAMPNS), and with UDP_GRO the size of
// its datagrams.
const controlRoom = 64

// newBatch makes count messages with buffers of stride bytes.
func newBatch(count, stride int) *batch {
	b := &batch{messages: make([]mmsghdr, count), buffers: make([]unix.Iovec, count), space: make([]byte, count*stride), stride: stride}
	for i := range b.messages {
		b.buffers[i].Base = &b.space[i*stride]
		b.buffers[i].SetLen(stride)
		b.messages[i].header.Iov = &b.buffers[i]
		b.messages[i].header.Iovlen = 1
	}
	return b
}

// newInbox makes count messages to receive.
func newInbox(count, stride int) *batch {
	b := newBatch(count, stride)
	b.controls = make([][controlRoom]byte, count)
	for i := range b.messages {
		b.messages[i].header.Control = &b.controls[i][0]
	}
	return b
}

// buffer is the whole buffer of a message.
func (b *batch) buffer(i int) []byte { return b.space[i*b.stride : (i+1)*b.stride] }

// received is what the last receive put into a message.
func (b *batch) received(i int) []byte { return b.space[i*b.stride:][:b.messages[i].size] }

// said is what the kernel said of a message that it received: when, and how large the
// datagrams in it are, of which the last may be shorter.
func (b *batch) said(i int) (came time.Time, datagram int) {
	datagram = int(b.messages[i].size)
	rest := b.controls[i][:b.messages[i].header.Controllen]
	for len(rest) >= unix.SizeofCmsghdr {
		header, data, next, err := unix.ParseOneSocketControlMessage(rest)
		if err != nil {
			break
		}
		switch {
		case header.Level == unix.SOL_UDP && header.Type == unix.UDP_GRO && len(data) >= 4:
			datagram = int(binary.NativeEndian.Uint32(data))
		case header.Level == unix.SOL_SOCKET && header.Type == unix.SCM_TIMESTAMPNS && len(data) >= 16:
			came = time.Unix(int64(binary.NativeEndian.Uint64(data)), int64(binary.NativeEndian.Uint64(data[8:])))
		}
		rest = next
	}
	return came, datagram
}

// receive reads what is there, as many messages as there are at most.
func (b *batch) receive(fd int) (int, error) {
	for i := range b.controls {
		b.messages[i].header.SetControllen(controlRoom)
	}
	return b.call(unix.SYS_RECVMMSG, fd, 0, len(b.messages))
}

// send sends the first count messages in full; it returns how many went out
// before an error.
func (b *batch) send(fd, count int) (sent int, err error) {
	for sent < count {
		n, err := b.call(unix.SYS_SENDMMSG, fd, sent, count)
		if err != nil || n == 0 {
			return sent, err
		}
		sent += n
	}
	return sent, nil
}

// call is one rawCall for the messages from first to end.
func (b *batch) call(number uintptr, fd, first, end int) (int, error) {
	return rawCall(number, fd, unsafe.Pointer(&b.messages[first]), end-first, unix.MSG_DONTWAIT)
}

// rawCall is one system call for that many of what is there. What can't be done without
// waiting is no error.
func rawCall(number uintptr, fd int, what unsafe.Pointer, count int, flags uintptr) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(number, uintptr(fd), uintptr(what), uintptr(count), flags, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EAGAIN:
			return 0, nil
		case unix.EINTR:
			interrupted()
		default:
			return 0, errno
		}
	}
}

// sendSegmented sends the first count buffers as one message that the kernel
// cuts: UDP_SEGMENT.
func (b *batch) sendSegmented(fd, count int) (int, error) {
	control := make([]byte, unix.CmsgSpace(2))
	header := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	header.Level, header.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	header.SetLen(unix.CmsgLen(2))
	*(*uint16)(unsafe.Pointer(&control[unix.CmsgLen(0)])) = uint16(b.stride)
	n, err := unix.SendmsgN(fd, b.space[:count*b.stride], control, nil, unix.MSG_DONTWAIT)
	if err == unix.EAGAIN {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("UDP_SEGMENT: %w", err)
	}
	return n / b.stride, nil
}

// poll is epoll_wait without waiting.
func poll(epoll int, events []unix.EpollEvent) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])),
		uintptr(len(events)), 0, 0, 0)
	switch errno {
	case 0:
		return int(n), nil
	case unix.EINTR:
		return 0, nil
	}
	return 0, fmt.Errorf("epoll: %w", errno)
}

// interrupted is where a loop of raw calls can be stopped by the runtime.
//
//go:noinline
func interrupted() {}

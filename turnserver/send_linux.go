package turnserver

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sender sends datagrams on one UDP socket. It never waits: what the kernel has
// no room for is an error, and the sessions that share the socket go on.
type sender struct {
	raw  syscall.RawConn
	ipv6 bool // the socket is one of IPv6, and IPv4 addresses are mapped
}

func newSender(conn syscall.Conn) (*sender, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &sender{raw: raw}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		var domain int
		domain, failed = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN)
		s.ipv6 = domain == unix.AF_INET6
	}); err != nil {
		return nil, err
	}
	return s, failed
}

// send sends one datagram, with control messages or without.
func (s *sender) send(packet, control []byte, to netip.AddrPort) error {
	op := sendOps.Get().(*sendOp)
	defer sendOps.Put(op)
	op.prepare(packet, control, to, s.ipv6)
	if err := s.raw.Control(op.run); err != nil {
		return err
	}
	op.clear()
	if op.errno != 0 {
		return op.errno
	}
	return nil
}

// sendOp is one sendmsg. They are used again and again, so that none is made a
// packet; its run is a method value that was made once, for the same reason.
type sendOp struct {
	header unix.Msghdr
	iov    unix.Iovec
	addr4  unix.RawSockaddrInet4
	addr6  unix.RawSockaddrInet6
	errno  syscall.Errno
	run    func(uintptr)
}

var sendOps = sync.Pool{New: func() any {
	op := new(sendOp)
	op.run = op.sendmsg
	return op
}}

func (op *sendOp) prepare(packet, control []byte, to netip.AddrPort, ipv6 bool) {
	op.iov.Base = unsafe.SliceData(packet)
	op.iov.SetLen(len(packet))
	op.header.Iov = &op.iov
	op.header.SetIovlen(1)
	op.header.Control = unsafe.SliceData(control)
	op.header.SetControllen(len(control))
	if ipv6 {
		op.addr6 = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: to.Addr().As16()}
		binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&op.addr6.Port))[:], to.Port())
		op.header.Name = (*byte)(unsafe.Pointer(&op.addr6))
		op.header.Namelen = unix.SizeofSockaddrInet6
		return
	}
	op.addr4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.Addr().As4()}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&op.addr4.Port))[:], to.Port())
	op.header.Name = (*byte)(unsafe.Pointer(&op.addr4))
	op.header.Namelen = unix.SizeofSockaddrInet4
}

// clear lets go of the packet.
func (op *sendOp) clear() { op.iov.Base, op.header.Control = nil, nil }

func (op *sendOp) sendmsg(fd uintptr) {
	for {
		_, _, op.errno = unix.RawSyscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&op.header)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if op.errno != unix.EINTR {
			return
		}
	}
}

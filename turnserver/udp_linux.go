package turnserver

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"icebox/turnserver/batch"
)

// controlSize holds the control messages of one packet, with room to spare.
const controlSize = 128

// udpSockets is how many sockets share one address.
func udpSockets() int { return min(runtime.GOMAXPROCS(0), 8) }

func controlShared(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}); e != nil {
		return e
	}
	return err
}

// askDestination has the kernel say with each packet which address it came to:
// IP_PKTINFO, or IPV6_PKTINFO, which a dual-stack socket uses for IPv4 too.
func askDestination(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		domain, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN)
		switch {
		case err != nil:
			failed = err
		case domain == unix.AF_INET:
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		default:
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		}
	}); err != nil {
		return err
	}
	return failed
}

// destination reads the address that a packet came to, as batch.Address has it.
func destination(control []byte) (netip.Addr, bool) {
	for len(control) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			break
		}
		switch {
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			return netip.AddrFrom4([4]byte(data[8:12])), true
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			return batch.Address([16]byte(data[:16]), binary.NativeEndian.Uint32(data[16:])), true
		}
		control = rest
	}
	return netip.Addr{}, false
}

// source is the control message that has a packet leave from addr, and by the interface
// that is its zone. ipv4 says that the socket is one of IPv4 alone.
func source(addr netip.Addr, ipv4 bool) []byte {
	if addr.IsUnspecified() {
		return nil
	}
	if ipv4 {
		b := make([]byte, unix.CmsgSpace(unix.SizeofInet4Pktinfo))
		putHeader(b, unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		a := addr.As4()
		copy(b[unix.CmsgLen(0)+4:], a[:]) // ipi_spec_dst
		return b
	}
	b := make([]byte, unix.CmsgSpace(unix.SizeofInet6Pktinfo))
	putHeader(b, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	a := addr.As16()
	copy(b[unix.CmsgLen(0):], a[:])
	binary.NativeEndian.PutUint32(b[unix.CmsgLen(0)+len(a):], batch.ZoneIndex(addr))
	return b
}

func putHeader(b []byte, level, kind, size int) {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = int32(level), int32(kind)
	h.SetLen(unix.CmsgLen(size))
}

// growBuffers asks for listenBuffer in both directions.
func growBuffers(conn *net.UDPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		growBuffer(int(fd), unix.SO_RCVBUF, unix.SO_RCVBUFFORCE, listenBuffer)
		growBuffer(int(fd), unix.SO_SNDBUF, unix.SO_SNDBUFFORCE, listenBuffer)
	})
}

// growBuffer asks for a buffer of that many bytes, which the kernel doubles for what it
// needs itself (socket(7)): past the system's limit where this process may do that, else
// as far as it allows. A larger one stays.
func growBuffer(fd, option, force, size int) {
	if now, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, option); err == nil && now >= 2*size {
		return
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, size) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, size)
	}
}

// unpolled is a second descriptor of a socket, which Go's poller does not watch:
// it would be woken by every packet.
func unpolled(conn *net.UDPConn) (*os.File, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var file *os.File
	var failed error
	err = raw.Control(func(fd uintptr) {
		var second int
		if second, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); failed != nil {
			return
		}
		unix.SetNonblock(second, false) // os.NewFile has what does not block watched
		file = os.NewFile(uintptr(second), "listener")
	})
	return file, errors.Join(err, failed)
}

package turnserver

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
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

// destination reads the address that a packet came to. That of a link-local one has the
// number of its interface as zone.
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
			addr := netip.AddrFrom16([16]byte(data[:16]))
			if addr.IsLinkLocalUnicast() && !addr.Is4In6() {
				addr = addr.WithZone(strconv.FormatUint(uint64(binary.NativeEndian.Uint32(data[16:])), 10))
			}
			return addr, true
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
	index, _ := strconv.ParseUint(addr.Zone(), 10, 32)
	binary.NativeEndian.PutUint32(b[unix.CmsgLen(0)+len(a):], uint32(index))
	return b
}

func putHeader(b []byte, level, kind, size int) {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = int32(level), int32(kind)
	h.SetLen(unix.CmsgLen(size))
}

// growBuffers asks for listenBuffer in both directions, past what the system's
// limit is where this process may do that.
func growBuffers(conn *net.UDPConn) {
	conn.SetReadBuffer(listenBuffer) // as far as the system allows
	conn.SetWriteBuffer(listenBuffer)
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, listenBuffer)
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, listenBuffer)
	})
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

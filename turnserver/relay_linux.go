package turnserver

import (
	"encoding/binary"
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// canDontFragment: the box can send datagrams with the DF bit (RFC 8656 section
// 18.9).
const canDontFragment = true

// relayBuffer is the receive buffer asked for, in bytes as growBuffer has them: some 400
// packets of video, several pictures that a peer sends at once.
const relayBuffer = 512 << 10

// controlRelay prepares a relay socket.
func controlRelay(network, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { prepareRelay(int(fd), network == "udp4") })
}

// prepareRelay lets routers fragment what peers are sent: without DONT-FRAGMENT, DF is
// off (RFC 8656 section 16).
func prepareRelay(fd int, ipv4 bool) {
	setFragmenting(fd, ipv4, true)
	growBuffer(fd, unix.SO_RCVBUF, unix.SO_RCVBUFFORCE, relayBuffer)
}

// openRelaySocket is a bound socket that no poller of Go's watches.
func openRelaySocket(bind netip.AddrPort) (*os.File, error) {
	domain := unix.AF_INET
	if bind.Addr().Is6() {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := bindRelay(fd, bind); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "relay"), nil
}

func bindRelay(fd int, bind netip.AddrPort) error {
	prepareRelay(fd, bind.Addr().Is4())
	if bind.Addr().Is4() {
		return os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrInet4{Port: int(bind.Port()), Addr: bind.Addr().As4()}))
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	return os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrInet6{Port: int(bind.Port()), Addr: bind.Addr().As16()}))
}

func setFragmenting(fd int, ipv4, allowed bool) error {
	if ipv4 {
		mode := unix.IP_PMTUDISC_DO
		if allowed {
			mode = unix.IP_PMTUDISC_DONT
		}
		return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, mode)
	}
	mode := unix.IPV6_PMTUDISC_DO
	if allowed {
		mode = unix.IPV6_PMTUDISC_DONT
	}
	return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, mode)
}

// sendUnfragmented sends one datagram that no router may fragment. A session's packets
// come from one goroutine, but for what waited behind a request (desk), which is never of
// this kind. One of those that leaves just meanwhile can't be fragmented either.
func (s *sender) sendUnfragmented(payload []byte, to netip.AddrPort) error {
	if err := s.raw.Control(func(fd uintptr) { setFragmenting(int(fd), !s.ipv6, false) }); err != nil {
		return err
	}
	err := s.send(payload, nil, to)
	s.raw.Control(func(fd uintptr) { setFragmenting(int(fd), !s.ipv6, true) })
	return err
}

// read passes on what peers send until the socket is closed. It holds a buffer
// only while there is something to read, and the whole loop runs inside one
// call, which waits without a buffer between bursts.
func (r *plainRelay) read() {
	s := r.session
	raw, err := r.conn.SyscallConn()
	if err != nil {
		return
	}
	// An error of a read of a UDP socket is a peer's ICMP or a shortage of
	// memory: neither ends it. Read returns when the socket is closed, and that
	// waits until this function has returned false.
	raw.Read(func(fd uintptr) bool {
		room := takeBuffer()
		defer giveBuffer(room)
		for {
			n, from, err := recvfrom(int(fd), payloadOf(room))
			switch {
			case err == unix.EAGAIN || err == unix.ENOMEM || err == unix.ENOBUFS || r.closing.Load():
				return false
			case err == 0:
				s.passDown(room, n, from)
			}
		}
	})
}

// recvfrom is the system call, without an allocation for the address.
func recvfrom(fd int, p []byte) (int, netip.AddrPort, unix.Errno) {
	var sa unix.RawSockaddrInet6
	size := uint32(unix.SizeofSockaddrInet6)
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), unix.MSG_DONTWAIT,
		uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return 0, netip.AddrPort{}, errno
	}
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&sa.Port))[:])
	if sa.Family == unix.AF_INET {
		sa4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&sa))
		return int(n), netip.AddrPortFrom(netip.AddrFrom4(sa4.Addr), port), 0
	}
	return int(n), netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), port), 0
}

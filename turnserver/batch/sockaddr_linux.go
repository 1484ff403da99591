package batch

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sockaddr is an address of either family as the kernel wants it.
type sockaddr struct{ raw unix.RawSockaddrInet6 }

// set writes an address for a socket of that family. An IPv4 address is mapped
// where the socket is one of IPv6.
func (s *sockaddr) set(a netip.AddrPort, ipv6 bool) {
	if ipv6 {
		s.raw = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: a.Addr().As16()}
	} else {
		s.ipv4().Family, s.ipv4().Addr = unix.AF_INET, a.Addr().As4()
	}
	binary.BigEndian.PutUint16(s.portBytes(), a.Port())
}

func (s *sockaddr) ipv4() *unix.RawSockaddrInet4 {
	return (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.raw))
}

// portBytes is the port in network order; it is at one place in both families.
func (s *sockaddr) portBytes() []byte { return (*[2]byte)(unsafe.Pointer(&s.raw.Port))[:] }

func (s *sockaddr) port() uint16 { return binary.BigEndian.Uint16(s.portBytes()) }

// addrPort is the address, IPv4 ones never mapped.
func (s *sockaddr) addrPort() netip.AddrPort {
	if s.raw.Family == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4(s.ipv4().Addr), s.port())
	}
	return netip.AddrPortFrom(netip.AddrFrom16(s.raw.Addr).Unmap(), s.port())
}

// v4 is the IPv4 address, a mapped one too, in the order that it has in memory; ok
// says whether it is one.
func (s *sockaddr) v4() (a uint32, ok bool) {
	if s.raw.Family == unix.AF_INET {
		return binary.NativeEndian.Uint32(s.ipv4().Addr[:]), true
	}
	return binary.NativeEndian.Uint32(s.raw.Addr[12:]), [12]byte(s.raw.Addr[:]) == mappedPrefix
}

// equal says whether both are of one address and port.
func (s *sockaddr) equal(other *sockaddr) bool {
	return s.head() == other.head() && (s.raw.Family == unix.AF_INET || s.raw.Addr == other.raw.Addr)
}

// head is what both families begin with: family, port, and the address of IPv4.
func (s *sockaddr) head() uint64 {
	return binary.NativeEndian.Uint64((*[8]byte)(unsafe.Pointer(&s.raw))[:])
}

// mappedPrefix is in front of an IPv4 address in its mapped form.
var mappedPrefix = [12]byte{10: 0xFF, 11: 0xFF}

func mapped(a [4]byte) (m [16]byte) {
	copy(m[:], mappedPrefix[:])
	copy(m[12:], a[:])
	return m
}

// scoped is an address with the number of its interface in it where it is a link-local
// one, in a place that is zero in those (RFC 4291 section 2.5.6).
func scoped(a [16]byte, index uint32) [16]byte {
	if linkLocal(a) {
		binary.BigEndian.PutUint32(a[scopeAt:], index)
	}
	return a
}

// unscoped is the Address behind it.
func unscoped(a [16]byte) netip.Addr {
	if !linkLocal(a) {
		return Address(a, 0)
	}
	index := binary.BigEndian.Uint32(a[scopeAt:])
	clear(a[scopeAt:][:4])
	return Address(a, index)
}

const scopeAt = 4

// linkLocal says whether a is in fe80::/10.
func linkLocal(a [16]byte) bool { return a[0] == 0xFE && a[1]&0xC0 == 0x80 }

// Address is one as sockets of IPv6 have it, which came by the interface with that number:
// IPv4 ones never mapped, and a link-local one with the number as its zone.
func Address(a [16]byte, index uint32) netip.Addr {
	addr := netip.AddrFrom16(a).Unmap()
	if linkLocal(a) {
		return addr.WithZone(strconv.FormatUint(uint64(index), 10))
	}
	return addr
}

// ZoneIndex is the number of the interface in the zone of an Address; 0: there is none.
func ZoneIndex(a netip.Addr) uint32 {
	if a.Zone() == "" {
		return 0
	}
	index, _ := strconv.ParseUint(a.Zone(), 10, 32)
	return uint32(index)
}

func (s *sockaddr) pointer() *byte { return (*byte)(unsafe.Pointer(&s.raw)) }

func (s *sockaddr) size() uint32 {
	if s.raw.Family == unix.AF_INET {
		return unix.SizeofSockaddrInet4
	}
	return unix.SizeofSockaddrInet6
}

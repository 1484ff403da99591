package turnserver

import (
	"encoding/binary"
	"net/netip"
)

// Address families as RFC 8489 section 14.1 numbers them.
const (
	familyIPv4 = 0x01
	familyIPv6 = 0x02
)

// readXORAddress decodes the value of an XOR address attribute. IPv4 addresses
// that are written as IPv6 ones stay IPv6, for the peer policy to judge.
func readXORAddress(v, header []byte) (netip.AddrPort, bool) {
	if len(v) < 4 {
		return netip.AddrPort{}, false
	}
	port := binary.BigEndian.Uint16(v[2:]) ^ magicCookie>>16
	switch {
	case v[1] == familyIPv4 && len(v) == 8:
		var a [4]byte
		xorInto(a[:], v[4:], header[4:])
		return netip.AddrPortFrom(netip.AddrFrom4(a), port), true
	case v[1] == familyIPv6 && len(v) == 20:
		var a [16]byte
		xorInto(a[:], v[4:], header[4:])
		return netip.AddrPortFrom(netip.AddrFrom16(a), port), true
	}
	return netip.AddrPort{}, false
}

// putXORAddress appends the value of an XOR address attribute to b; header are
// the first 20 bytes of the message that it is for.
func putXORAddress(b []byte, addr netip.AddrPort, header []byte) []byte {
	family := byte(familyIPv4)
	if !addr.Addr().Is4() {
		family = familyIPv6
	}
	b = append(b, 0, family)
	b = binary.BigEndian.AppendUint16(b, addr.Port()^magicCookie>>16)
	at := len(b)
	if addr.Addr().Is4() {
		a := addr.Addr().As4()
		b = append(b, a[:]...)
	} else {
		a := addr.Addr().As16()
		b = append(b, a[:]...)
	}
	xorInto(b[at:], b[at:], header[4:])
	return b
}

func xorInto(dst, a, b []byte) {
	for i := range dst {
		dst[i] = a[i] ^ b[i]
	}
}

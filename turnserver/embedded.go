package turnserver

import (
	"encoding/binary"
	"net/netip"
)

// The spellings of an IPv4 address as an IPv6 one. A packet to any of them can
// end up at that IPv4 address, wherever the translator or tunnel stands.
const (
	reasonMapped     = "v4-mapped"
	reasonCompatible = "v4-compatible"
	reasonTranslated = "v4-translated"
	reason6to4       = "6to4"
	reasonTeredo     = "teredo"
	reasonNAT64      = "nat64"
	reasonISATAP     = "isatap"
)

// The words that tell one spelling from another: the first 8 and the next 4
// bytes of an address, big-endian.
const (
	wordMapped     = 0x0000ffff // bytes 8-11 of ::ffff:a.b.c.d
	wordTranslated = 0xffff0000 // bytes 8-11 of ::ffff:0:a.b.c.d
	headNAT64      = 0x0064ff9b_00000000
	headLocalNAT64 = 0x0064ff9b_0001 // bytes 0-5 of 64:ff9b:1::/48
)

// maxEmbedded is how many IPv4 addresses one IPv6 address can hold: four places
// in the NAT64 of 64:ff9b:1::/48 and one as an ISATAP interface.
const maxEmbedded = 5

// embedded returns the IPv4 addresses, the first n of the array, that the IPv6
// address addr holds in any of the known spellings. It does not allocate.
func embedded(addr netip.Addr) (found [maxEmbedded]netip.Addr, n int) {
	b := addr.As16()
	add := func(v4 [4]byte) {
		found[n] = netip.AddrFrom4(v4)
		n++
	}
	head, word := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint32(b[8:12])
	switch {
	case head == 0 && (word == 0 || word == wordMapped || word == wordTranslated),
		head == headNAT64 && word == 0:
		add([4]byte(b[12:]))
	case head>>16 == headLocalNAT64:
		places, k := localNAT64(b)
		for _, v4 := range places[:k] {
			add(v4)
		}
	case head>>48 == 0x2002: // RFC 3056 section 2
		add([4]byte(b[2:6]))
	case head>>32 == 0x20010000: // RFC 4380 section 4: the server, and the client's address inverted
		add([4]byte(b[4:8]))
		add([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})
	}
	if isISATAP(b) {
		add([4]byte(b[12:]))
	}
	return found, n
}

// localNAT64 returns the addresses, the first n, at the four places that RFC
// 6052 section 2.2 has for a translator whose prefix is 48, 56, 64 or 96 bits
// long; which one it is, only its owner knows. Byte 8 is always left out. Where
// several places could be meant, those that hold 0.0.0.0/8 are not: that is how
// the unused rest of the address looks.
func localNAT64(b [16]byte) (places [4][4]byte, n int) {
	for _, v4 := range [...][4]byte{
		{b[6], b[7], b[9], b[10]},
		{b[7], b[9], b[10], b[11]},
		{b[9], b[10], b[11], b[12]},
	} {
		if v4[0] != 0 {
			places[n] = v4
			n++
		}
	}
	if last := [4]byte(b[12:]); last[0] != 0 || n == 0 {
		places[n] = last
		n++
	}
	return places, n
}

// isISATAP reports whether the interface identifier is that of an ISATAP
// interface: 00-00-5E-FE and the IPv4 address, whatever the universal and group
// bits (RFC 5214 section 6.1).
func isISATAP(b [16]byte) bool {
	return b[8]&^0x03 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}

//go:build linux

package conformance

import (
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// answer is a STUN message received, taken apart but not yet believed.
type answer struct {
	raw           []byte
	method, class uint16
	id            transactionID
	attributes    []attribute
}

type attribute struct {
	typ   uint16
	value []byte
	at    int // where its header begins in raw
}

var errNotSTUN = errors.New("not a STUN message")

// parse is strict: one message, of exactly these bytes, each attribute whole.
func parse(raw []byte) (*answer, error) {
	if len(raw) < headerSize || raw[0]&0xC0 != 0 || binary.BigEndian.Uint32(raw[4:]) != cookie {
		return nil, errNotSTUN
	}
	if n := int(binary.BigEndian.Uint16(raw[2:])); n%4 != 0 || n != len(raw)-headerSize {
		return nil, fmt.Errorf("length field says %d, %d bytes follow", n, len(raw)-headerSize)
	}
	typ := binary.BigEndian.Uint16(raw)
	a := &answer{
		raw:    raw,
		method: typ&0xF | typ>>1&0x70 | typ>>2&0xF80,
		class:  typ>>4&1 | typ>>7&2,
		id:     transactionID(raw[8:20]),
	}
	return a, a.split()
}

func (a *answer) split() error {
	for at := headerSize; at < len(a.raw); {
		if at+4 > len(a.raw) {
			return fmt.Errorf("attribute header cut at byte %d", at)
		}
		typ, n := binary.BigEndian.Uint16(a.raw[at:]), int(binary.BigEndian.Uint16(a.raw[at+2:]))
		if at+4+n > len(a.raw) {
			return fmt.Errorf("attribute %#04x of %d bytes goes past the end", typ, n)
		}
		a.attributes = append(a.attributes, attribute{typ, a.raw[at+4 : at+4+n], at})
		at += 4 + (n+3)&^3
	}
	return nil
}

func (a *answer) find(typ uint16) (attribute, bool) {
	i := slices.IndexFunc(a.attributes, func(x attribute) bool { return x.typ == typ })
	if i < 0 {
		return attribute{}, false
	}
	return a.attributes[i], true
}

func (a *answer) has(typ uint16) bool {
	_, ok := a.find(typ)
	return ok
}

// value is the value of the first attribute of that type, nil without one.
func (a *answer) value(typ uint16) []byte {
	x, _ := a.find(typ)
	return x.value
}

// number is a 32-bit value, -1 where there is none.
func (a *answer) number(typ uint16) int {
	v := a.value(typ)
	if len(v) != 4 {
		return -1
	}
	return int(binary.BigEndian.Uint32(v))
}

// code is the error code, 0 where there is none.
func (a *answer) code() int {
	v := a.value(attrErrorCode)
	if len(v) < 4 {
		return 0
	}
	return int(v[2]&7)*100 + int(v[3])
}

// addresses decodes every attribute of that type as XOR-MAPPED-ADDRESS is.
func (a *answer) addresses(typ uint16) []netip.AddrPort {
	var all []netip.AddrPort
	for _, x := range a.attributes {
		if x.typ == typ {
			all = append(all, a.decodeAddress(x.value))
		}
	}
	return all
}

// address is the first of addresses, invalid where there is none.
func (a *answer) address(typ uint16) netip.AddrPort {
	if all := a.addresses(typ); len(all) > 0 {
		return all[0]
	}
	return netip.AddrPort{}
}

func (a *answer) decodeAddress(v []byte) netip.AddrPort {
	sizes := map[byte]int{familyIPv4: 4, familyIPv6: 16}
	if len(v) < 4 || len(v) != 4+sizes[v[1]] {
		return netip.AddrPort{}
	}
	ip, _ := netip.AddrFromSlice(xorIP(a.id, v[4:]))
	return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(v[2:])^cookie>>16)
}

// unknown lists UNKNOWN-ATTRIBUTES, sorted.
func (a *answer) unknown() []uint16 {
	var types []uint16
	v := a.value(attrUnknownAttributes)
	for ; len(v) >= 2; v = v[2:] {
		types = append(types, binary.BigEndian.Uint16(v))
	}
	slices.Sort(types)
	return types
}

// checkIntegrity says whether MESSAGE-INTEGRITY is there, made with key, and
// followed by nothing but FINGERPRINT.
func (a *answer) checkIntegrity(key []byte) error {
	x, ok := a.find(attrIntegrity)
	if !ok {
		return errors.New("no MESSAGE-INTEGRITY")
	}
	if !hmac.Equal(x.value, integritySum(a.raw[:x.at], key)) {
		return errors.New("MESSAGE-INTEGRITY is not of this key")
	}
	for _, y := range a.attributes {
		if y.at > x.at && y.typ != attrFingerprint {
			return fmt.Errorf("attribute %#04x after MESSAGE-INTEGRITY", y.typ)
		}
	}
	return nil
}

// checkFingerprint says whether FINGERPRINT is there, right and last.
func (a *answer) checkFingerprint() error {
	x, ok := a.find(attrFingerprint)
	switch {
	case !ok:
		return errors.New("no FINGERPRINT")
	case len(x.value) != 4 || binary.BigEndian.Uint32(x.value) != fingerprintSum(a.raw[:x.at]):
		return errors.New("FINGERPRINT is wrong")
	case x.at+8 != len(a.raw):
		return errors.New("FINGERPRINT is not last")
	}
	return nil
}

func (a *answer) String() string {
	classes := [...]string{"request", "indication", "success", "error"}
	s := fmt.Sprintf("method %#x %s", a.method, classes[a.class])
	if a.has(attrErrorCode) {
		s += fmt.Sprintf(" %d %q", a.code(), a.value(attrErrorCode)[4:])
	}
	for _, x := range a.attributes {
		s += fmt.Sprintf(" %#04x[%d]", x.typ, len(x.value))
	}
	return s
}

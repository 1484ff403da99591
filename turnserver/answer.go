package turnserver

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/stun/v2"
)

// Setters of the attributes that the box writes, for requests to the engine and
// for answers to clients.

var requestedUDP = stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}}

// lifetime is LIFETIME in seconds (RFC 8656 section 18.2).
func lifetime(d time.Duration) stun.Setter {
	return stun.RawAttribute{
		Type:  stun.AttrLifetime,
		Value: binary.BigEndian.AppendUint32(nil, uint32(d/time.Second)),
	}
}

// unknownAttributes is UNKNOWN-ATTRIBUTES (RFC 8489 section 14.9).
func unknownAttributes(types []stun.AttrType) stun.Setter {
	var v []byte
	for _, t := range types {
		v = binary.BigEndian.AppendUint16(v, uint16(t))
	}
	return stun.RawAttribute{Type: stun.AttrUnknownAttributes, Value: v}
}

// addressError is ADDRESS-ERROR-CODE (RFC 8656 section 18.12): why an allocation
// has no relay address of the family.
func addressError(family byte, code stun.ErrorCode) stun.Setter {
	v := []byte{family, 0, byte(code / 100), byte(code % 100)}
	return stun.RawAttribute{Type: typeAddressErrorCode, Value: append(v, reason(code)...)}
}

// xorAddress is an XOR address attribute of any type.
type xorAddress struct {
	kind stun.AttrType
	addr netip.AddrPort
}

// AddTo implements stun.Setter. The transaction ID has to be there before.
func (x xorAddress) AddTo(m *stun.Message) error {
	m.Add(x.kind, putXORAddress(nil, x.addr, m.Raw[:headerSize]))
	return nil
}

// reason is the phrase of an error code, kept short: strangers get it too.
func reason(code stun.ErrorCode) string {
	switch code {
	case stun.CodeBadRequest:
		return "Bad Request"
	case stun.CodeUnauthorized:
		return "Unauthorized"
	case stun.CodeForbidden:
		return "Forbidden"
	case stun.CodeUnknownAttribute:
		return "Unknown Attribute"
	case stun.CodeAllocMismatch:
		return "Allocation Mismatch"
	case stun.CodeStaleNonce:
		return "Stale Nonce"
	case stun.CodeAddrFamilyNotSupported:
		return "Address Family not Supported"
	case stun.CodeWrongCredentials:
		return "Wrong Credentials"
	case stun.CodeUnsupportedTransProto:
		return "Unsupported Transport Protocol"
	case stun.CodePeerAddrFamilyMismatch:
		return "Peer Address Family Mismatch"
	case stun.CodeAllocQuotaReached:
		return "Allocation Quota Reached"
	case stun.CodeInsufficientCapacity:
		return "Insufficient Capacity"
	}
	return "Server Error"
}

package turnserver

import (
	"encoding/binary"
	"time"

	"github.com/pion/stun/v2"
)

// checkFree lets a retransmission pass, which gets the answer of the first.
func checkFree(r *request) *refusal {
	s := r.session
	if s == nil || !s.over() && s.origin == r.transaction() && s.user.username == r.user.username {
		return nil
	}
	return refuse(stun.CodeAllocMismatch)
}

// checkExpiry refuses a time-limited credential that is over. A session that
// began in time goes on.
func checkExpiry(r *request) *refusal {
	if r.session != nil || r.user.expires.IsZero() || time.Now().Before(r.user.expires) {
		return nil
	}
	r.authenticated = false // a 401 is not signed
	return challenge(r, stun.CodeUnauthorized)
}

func checkTransport(r *request) *refusal {
	v := r.sized(attrRequestedTransport, 4)
	switch {
	case v == nil:
		return refuse(stun.CodeBadRequest)
	case v[0] != 17: // UDP
		return refuse(stun.CodeUnsupportedTransProto)
	}
	return nil
}

func checkDontFragment(r *request) *refusal {
	if !r.has(attrDontFragment) || canDontFragment {
		return nil
	}
	return &refusal{
		code:  stun.CodeUnknownAttribute,
		attrs: []stun.Setter{unknownAttributes([]stun.AttrType{stun.AttrDontFragment})},
	}
}

func checkReservation(r *request) *refusal {
	if !r.has(attrReservationToken) {
		return nil
	}
	v := r.sized(attrReservationToken, len(token{}))
	if v == nil || r.has(attrEvenPort) || r.has(attrRequestedFamily) || r.has(attrAdditionalFamily) {
		return refuse(stun.CodeBadRequest)
	}
	if r.session != nil {
		return nil
	}
	t := token(v)
	if !r.guard.reserved.valid(t, r.now) {
		return refuse(stun.CodeInsufficientCapacity)
	}
	r.want.claim = &t
	return nil
}

// checkFamily reads which relay addresses are wanted: IPv4, what
// REQUESTED-ADDRESS-FAMILY says, or with ADDITIONAL-ADDRESS-FAMILY both, of
// which one may be missing.
func checkFamily(r *request) *refusal {
	asked := r.tuple.local.Addr()
	switch {
	case r.has(attrAdditionalFamily):
		family, ok := r.family(attrAdditionalFamily)
		if r.has(attrRequestedFamily) || !ok || family != familyIPv6 {
			return refuse(stun.CodeBadRequest)
		}
		r.want.families = []byte{familyIPv4, familyIPv6}
		r.want.optional = familyIPv6
		if !r.guard.offers(familyIPv4, asked) {
			r.want.optional = familyIPv4
			if !r.guard.offers(familyIPv6, asked) {
				return refuse(stun.CodeAddrFamilyNotSupported)
			}
		}
		return nil
	case r.has(attrRequestedFamily):
		family, ok := r.family(attrRequestedFamily)
		if !ok {
			return refuse(stun.CodeAddrFamilyNotSupported)
		}
		r.want.families = []byte{family}
	default:
		r.want.families = []byte{familyIPv4}
	}
	if r.want.claim == nil && !r.guard.offers(r.want.families[0], asked) {
		return refuse(stun.CodeAddrFamilyNotSupported)
	}
	return nil
}

// family reads an address family attribute (RFC 8656 section 18.6).
func (r *request) family(k known) (byte, bool) {
	v := r.sized(k, 4)
	if v == nil || v[0] != familyIPv4 && v[0] != familyIPv6 {
		return 0, false
	}
	return v[0], true
}

func checkEvenPort(r *request) *refusal {
	if !r.has(attrEvenPort) {
		return nil
	}
	v := r.sized(attrEvenPort, 1)
	if v == nil {
		return refuse(stun.CodeBadRequest)
	}
	r.want.even, r.want.pair = true, v[0]&0x80 != 0
	if r.want.pair && r.has(attrAdditionalFamily) {
		return refuse(stun.CodeBadRequest)
	}
	return nil
}

const (
	defaultLifetime = 10 * time.Minute // RFC 8656 section 3.2
	maxLifetime     = time.Hour        // RFC 8656 section 7.2
)

func checkAllocateLifetime(r *request) *refusal {
	d, ok := r.readLifetime()
	if !ok {
		return refuse(stun.CodeBadRequest)
	}
	r.want.lifetime = max(d, defaultLifetime)
	return nil
}

func checkRefreshLifetime(r *request) *refusal {
	d, ok := r.readLifetime()
	if !ok {
		return refuse(stun.CodeBadRequest)
	}
	if d > 0 {
		d = max(d, defaultLifetime)
	}
	r.want.lifetime = d
	return nil
}

// readLifetime is LIFETIME, at most an hour; without one it is the default.
func (r *request) readLifetime() (time.Duration, bool) {
	if !r.has(attrLifetime) {
		return defaultLifetime, true
	}
	v := r.sized(attrLifetime, 4)
	if v == nil {
		return 0, false
	}
	return min(time.Duration(binary.BigEndian.Uint32(v))*time.Second, maxLifetime), true
}

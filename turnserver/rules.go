package turnserver

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/pion/stun/v2"
)

// rule is one thing that the RFCs ask of a request. check refuses it or lets it
// pass, and takes down what it has read for the rules after it.
type rule struct {
	name    string
	section string // RFC and section
	check   func(*request) *refusal
}

// rules are asked in their order: the first that refuses is the answer.
type rules []rule

func (rs rules) apply(r *request) *refusal {
	for _, rule := range rs {
		if refused := rule.check(r); refused != nil {
			return refused
		}
	}
	return nil
}

// rulebook are the rules of each method.
type rulebook [methods]rules

// credentialRules are the long-term credential mechanism, in front of every
// method but Binding.
var credentialRules = rules{
	{"integrity present", "8489 9.2.4", checkIntegrityPresent},
	{"credentials complete", "8489 9.2.4", checkComplete},
	{"nonce fresh", "8489 9.2.4", checkNonce},
	{"guesses bounded", "8489 9.2.4", checkGuesses},
	{"password right", "8489 9.2.4", checkPassword},
}

// sessionRules are those of every method of a session.
var sessionRules = slices.Concat(credentialRules, rules{
	{"same user", "8656 5", checkSameUser},
	{"attributes known", "8489 6.3.1", checkKnown},
	{"allocation there", "8656 5", checkSession},
})

var allRules = rulebook{
	methodBinding: {
		{"attributes known", "8489 6.3.1", checkKnown},
	},
	methodAllocate: slices.Concat(credentialRules, rules{
		{"attributes known", "8489 6.3.1", checkKnown},
		{"5-tuple free", "8656 7.2", checkFree},
		{"credential in time", "REST 2.2", checkExpiry},
		{"UDP requested", "8656 7.2", checkTransport},
		{"DONT-FRAGMENT", "8656 7.2", checkDontFragment},
		{"RESERVATION-TOKEN", "8656 7.2", checkReservation},
		{"address family", "8656 7.2", checkFamily},
		{"EVEN-PORT", "8656 7.2", checkEvenPort},
		{"LIFETIME", "8656 7.2", checkAllocateLifetime},
	}),
	methodRefresh: slices.Concat(sessionRules, rules{
		{"same family", "8656 8.2", checkRefreshFamily},
		{"LIFETIME", "8656 8.2", checkRefreshLifetime},
	}),
	methodCreatePermission: slices.Concat(sessionRules, rules{
		{"peers sound", "8656 10.2", checkPeers},
		{"peer family", "8656 10.2", checkPeerFamily},
		{"peers permitted", "8656 10.2", checkPolicy},
		{"room for them", "8656 10.2", checkRoom},
	}),
	methodChannelBind: slices.Concat(sessionRules, rules{
		{"number and peer sound", "8656 12.2", checkChannel},
		{"peer family", "8656 12.2", checkPeerFamily},
		{"not bound otherwise", "8656 12.2", checkConflict},
		{"peer permitted", "8656 12.2", checkPolicy},
		{"own relay live", "8656 12.2", checkOwnRelay},
		{"room for it", "8656 12.2", checkRoom},
	}),
}

// challenge refuses with what the client needs to try again.
func challenge(r *request, code stun.ErrorCode) *refusal {
	return &refusal{code: code, attrs: []stun.Setter{
		stun.NewRealm(r.settings.credentials.realm),
		stun.NewNonce(r.guard.nonces.make(r.tuple, r.now)),
	}}
}

func checkIntegrityPresent(r *request) *refusal {
	if r.integrity != 0 {
		return nil
	}
	if !r.guard.mayAnswer(r) {
		return &refusal{silent: true}
	}
	return challenge(r, stun.CodeUnauthorized)
}

func checkComplete(r *request) *refusal {
	if r.has(attrUsername) && r.has(attrRealm) && r.has(attrNonce) {
		return nil
	}
	return refuse(stun.CodeBadRequest)
}

// checkNonce refuses a nonce that is not fresh with 438, or where the password
// is wrong too with 401. Who sends it may not be who he seems to be, so such
// failures count apart from guesses: past their bound, he is told of the nonce
// alone, and learns nothing of the password.
func checkNonce(r *request) *refusal {
	if r.guard.nonces.fresh(r.value(attrNonce), r.tuple, r.now) {
		return nil
	}
	failures := r.guard.blind.of(r.tuple.client.Addr())
	if failures.empty(r.now, guessCost, guessBurst) {
		return challenge(r, stun.CodeStaleNonce)
	}
	if _, ok := r.verify(); ok {
		return challenge(r, stun.CodeStaleNonce)
	}
	failures.take(r.now, guessCost, guessBurst)
	return challenge(r, stun.CodeUnauthorized)
}

// checkGuesses leaves requests unread from an address that has tried too many
// passwords, but for 5-tuples that have shown the right one.
func checkGuesses(r *request) *refusal {
	if !r.trusted && r.guard.guesses.of(r.tuple.client.Addr()).empty(r.now, guessCost, guessBurst) {
		return &refusal{silent: true}
	}
	return nil
}

func checkPassword(r *request) *refusal {
	user, ok := r.verify()
	if ok {
		r.user, r.authenticated = user, true
		return nil
	}
	r.guard.guesses.of(r.tuple.client.Addr()).take(r.now, guessCost, guessBurst)
	return challenge(r, stun.CodeUnauthorized)
}

// verify looks the user up and checks what his password has signed.
func (r *request) verify() (identity, bool) {
	c := r.settings.credentials
	user, ok := c.find(string(r.value(attrUsername)))
	return user, ok && r.signedWith(user.key) && string(r.value(attrRealm)) == c.realm
}

func checkSameUser(r *request) *refusal {
	if r.session == nil || r.session.user.username == r.user.username {
		return nil
	}
	return refuse(stun.CodeWrongCredentials)
}

func checkKnown(r *request) *refusal {
	if r.unknownLen == 0 {
		return nil
	}
	return &refusal{
		code:  stun.CodeUnknownAttribute,
		attrs: []stun.Setter{unknownAttributes(r.unknown[:r.unknownLen])},
	}
}

// checkFree lets a retransmission pass, which gets the answer of the first.
func checkFree(r *request) *refusal {
	if r.session == nil || r.session.origin == r.transaction() && r.session.user.username == r.user.username {
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

func checkSession(r *request) *refusal {
	if r.session != nil && !r.session.over() && !r.session.expires.passed(r.now) {
		return nil
	}
	return refuse(stun.CodeAllocMismatch)
}

func checkRefreshFamily(r *request) *refusal {
	if !r.has(attrRequestedFamily) {
		return nil
	}
	family, ok := r.family(attrRequestedFamily)
	if !ok || r.session.relays[familyIndex(family)].Load() == nil {
		return refuse(stun.CodePeerAddrFamilyMismatch)
	}
	r.want.families = []byte{family}
	return nil
}

func checkPeers(r *request) *refusal {
	peers, ok := r.peerAddresses()
	if !ok || len(peers) == 0 {
		return refuse(stun.CodeBadRequest)
	}
	r.peers = peers
	return nil
}

func checkChannel(r *request) *refusal {
	number := r.sized(attrChannelNumber, 4)
	peer, ok := r.peerAddress()
	if number == nil || !ok || number[0] < 0x40 || number[0] > 0x4F {
		return refuse(stun.CodeBadRequest)
	}
	r.channel = binary.BigEndian.Uint16(number)
	r.peers = append(r.peers, peer)
	return nil
}

func checkPeerFamily(r *request) *refusal {
	for _, p := range r.peers {
		if r.session.relayFor(p.Addr()) == nil {
			return refuse(stun.CodePeerAddrFamilyMismatch)
		}
	}
	return nil
}

func checkConflict(r *request) *refusal {
	if r.session.conflict(r.channel, r.peers[0]) {
		return refuse(stun.CodeBadRequest)
	}
	return nil
}

// checkPolicy forbids peers that nobody may reach through the box. The address
// of the box's own relays is not forbidden: what is no live relay there is
// dropped on the data path.
func checkPolicy(r *request) *refusal {
	for _, p := range r.peers {
		if !r.guard.isOwn(p.Addr()) && !r.settings.policy.permits(p.Addr()) {
			return refuse(stun.CodeForbidden)
		}
	}
	return nil
}

func checkOwnRelay(r *request) *refusal {
	p := r.peers[0]
	if r.guard.isOwn(p.Addr()) && r.guard.relays.find(p) == nil {
		return refuse(stun.CodeForbidden)
	}
	return nil
}

func checkRoom(r *request) *refusal {
	if r.session.room(r.peers, r.channel) {
		return nil
	}
	return refuse(stun.CodeInsufficientCapacity)
}

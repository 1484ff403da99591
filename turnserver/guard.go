package turnserver

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v2"
)

// guard stands between the listeners and everything else. It takes packets of
// clients, sound or not, answers what it can by itself, asks pion about the
// rest, and hands data to the session it belongs to.
type guard struct {
	*sessions
	nonces    nonces
	strangers *addressBuckets // answers to those who have not authenticated
	guesses   *addressBuckets // failed passwords
	blind     *addressBuckets // failed passwords without a fresh nonce
	rules     rulebook
	stats     guardStats
}

// guardStats count what the guard has seen and refused.
type guardStats struct {
	malformed  atomic.Uint64 // packets that are no sound STUN or ChannelData
	unanswered atomic.Uint64 // requests over the rate of strangers, of guesses or of a session
	orphans    atomic.Uint64 // data of 5-tuples without a session
	requests   [methods]atomic.Uint64
	refusals   refusalCounts
}

// origin is where a message came from and how its answer goes back.
type origin struct {
	tuple  tuple
	client client
	// user is who has authenticated on this 5-tuple before, so that its answers are not
	// counted as a stranger's; without a name: nobody.
	user identity
}

// requestCost and requestBurst bound what one session asks for: 4,000 requests at
// once, and 1,000 a second.
const (
	requestCost  = time.Second / 1000
	requestBurst = 4000 * requestCost
)

// guessCost and guessBurst slow down who tries passwords, by address: after ten
// failures one more a second.
const (
	guessCost  = time.Second
	guessBurst = 10 * time.Second
)

func newGuard(m *sessions) *guard {
	return &guard{
		sessions: m, nonces: newNonces(), rules: allRules,
		strangers: newAddressBuckets(), guesses: newAddressBuckets(), blind: newAddressBuckets(),
	}
}

// data passes on ChannelData or a Send indication of a session.
func (g *guard) data(now instant, out lane, s *session, packet []byte, m *message) {
	if isChannelData(packet) {
		s.sendChannel(now, out, packet)
		return
	}
	if err := m.parse(packet); err != nil {
		s.drop(dropMalformed)
		return
	}
	s.sendIndication(now, out, m)
}

// isSendIndication tells by the type alone, before anything is parsed.
func isSendIndication(packet []byte) bool {
	return len(packet) >= headerSize && packet[0] == 0x00 && packet[1] == 0x16
}

// carries says whether a packet is data to be passed on, not something to be
// answered.
func carries(packet []byte) bool { return isChannelData(packet) || isSendIndication(packet) }

// handle answers one message that carries no data. Who has authenticated with it is
// o.user from then on.
func (g *guard) handle(o *origin, packet []byte) {
	var m message
	if err := m.parse(packet); err != nil {
		g.stats.malformed.Add(1)
		return
	}
	// Indications and responses get no answer (RFC 8489 section 6.3).
	if m.kind.Class != stun.ClassRequest {
		return
	}
	method, ok := methodIndex(m.kind.Method)
	if !ok {
		return
	}
	g.stats.requests[method].Add(1)
	r := &request{message: &m, origin: o, guard: g, now: g.clock.now(), settings: g.settings.Load()}
	if r.session = g.live(o.tuple, r.now); r.session != nil {
		o.user = r.session.user
	}
	refused := g.rules[method].apply(r)
	if r.authenticated {
		o.user = r.user
	}
	// It is for the password to be seen first: else anybody could use this up for others.
	if r.session != nil && r.authenticated && !r.session.requests.take(r.now, requestCost, requestBurst) {
		refused = &refusal{silent: true}
	}
	if refused == nil {
		refused = g.grant(method, r)
	}
	if refused != nil {
		g.refuse(r, refused)
	}
}

// live is the session of a 5-tuple. One whose time is over ends here and now.
func (g *guard) live(t tuple, now instant) *session {
	s := g.table.get(t)
	if s != nil && s.expires.passed(now) {
		g.expire(s)
		return g.table.get(t)
	}
	return s
}

// grant carries out a request that every rule has let pass.
func (g *guard) grant(method int, r *request) *refusal {
	switch method {
	case methodBinding:
		return g.grantBinding(r)
	case methodAllocate:
		return g.grantAllocate(r)
	case methodRefresh:
		return g.grantRefresh(r)
	case methodCreatePermission:
		return g.grantPermission(r)
	}
	return g.grantChannel(r)
}

// grantBinding tells the client his address (RFC 8489 section 6.3.1.1).
func (g *guard) grantBinding(r *request) *refusal {
	if !g.mayAnswer(r) {
		return &refusal{silent: true}
	}
	g.answer(r, stun.ClassSuccessResponse, xorAddress{stun.AttrXORMappedAddress, r.origin.tuple.client})
	return nil
}

func (g *guard) grantAllocate(r *request) *refusal {
	s := r.session
	if s == nil { // else a retransmission, answered again
		var refused *refusal
		s, refused = g.begin(r.user, r.origin.tuple, r.origin.client, r.transaction(), r.want)
		if refused != nil {
			return refused
		}
		g.log.Debug("session begins", "session", s.id, "user", s.user.username, "transport", s.tuple.transport.String())
	}
	var attrs []stun.Setter
	for _, addr := range s.relayed() {
		attrs = append(attrs, xorAddress{stun.AttrXORRelayedAddress, addr})
	}
	if s.missing != 0 {
		attrs = append(attrs, addressError(s.missing, s.missingWhy))
	}
	attrs = append(attrs, lifetime(s.granted), xorAddress{stun.AttrXORMappedAddress, r.origin.tuple.client})
	if s.token != nil {
		attrs = append(attrs, stun.RawAttribute{Type: stun.AttrReservationToken, Value: s.token[:]})
	}
	g.answer(r, stun.ClassSuccessResponse, attrs...)
	return nil
}

func (g *guard) grantRefresh(r *request) *refusal {
	s, d := r.session, r.want.lifetime
	if d == 0 && len(r.want.families) > 0 && len(s.relayed()) > 1 {
		s.close(familyIndex(r.want.families[0])) // one of two (RFC 8656 section 7.2)
		g.settle()
	} else if refused := g.refresh(s, d); refused != nil {
		return refused
	}
	g.answer(r, stun.ClassSuccessResponse, lifetime(d))
	return nil
}

func (g *guard) grantPermission(r *request) *refusal {
	v, err := g.engine.permit(r.session.leg.name, r.peers)
	if refused := g.heard(r.session, v, err); refused != nil {
		return refused
	}
	if code := r.session.permit(r.peers); code != 0 {
		return refuse(code)
	}
	g.answer(r, stun.ClassSuccessResponse)
	return nil
}

func (g *guard) grantChannel(r *request) *refusal {
	inner, ok := r.session.innerNumber(r.peers[0])
	if !ok {
		return refuse(stun.CodeInsufficientCapacity)
	}
	v, err := g.engine.bind(r.session.leg.name, inner, r.peers[0])
	if refused := g.heard(r.session, v, err); refused != nil {
		return refused
	}
	if code := r.session.bind(r.channel, r.peers[0]); code != 0 {
		return refuse(code)
	}
	g.answer(r, stun.ClassSuccessResponse)
	return nil
}

// heard turns pion's verdict on a request of a session into what the client
// gets. Silence is pion's way to say that it knows no such allocation, and an
// error without a code, or 401, its way to forbid a peer.
func (g *guard) heard(s *session, v verdict, err error) *refusal {
	switch {
	case err != nil:
		g.log.Error("asking the TURN engine", "err", err)
		return refuse(stun.CodeServerError)
	case v.granted:
		return nil
	case v.answered && (v.code == 0 || v.code == stun.CodeUnauthorized):
		return refuse(stun.CodeForbidden)
	case v.code == 0:
		g.end(s)
		return refuse(stun.CodeAllocMismatch)
	}
	return refuse(v.code)
}

// refuse answers with an error, signed wherever there is a key that the client
// has shown to have (RFC 8489 section 9.2.4).
func (g *guard) refuse(r *request, refused *refusal) {
	if refused.silent || !r.authenticated && !g.mayAnswer(r) {
		g.stats.unanswered.Add(1)
		return
	}
	g.stats.refusals.count(refused.code)
	attrs := []stun.Setter{stun.ErrorCodeAttribute{Code: refused.code, Reason: []byte(reason(refused.code))}}
	g.answer(r, stun.ClassErrorResponse, append(attrs, refused.attrs...)...)
}

// explain tells the owner, at debug, which rule has refused a request and where
// it comes from.
func (g *guard) explain(r *request, by rule, refused *refusal) {
	if g.log.Enabled(context.Background(), slog.LevelDebug) {
		g.log.Debug("request refused", "method", r.kind.Method.String(), "rule", by.name,
			"section", by.section, "code", int(refused.code), "user", r.user.username)
	}
}

// mayAnswer bounds the answers to those who have not authenticated, by address,
// so that the box is no use for reflecting a flood.
func (g *guard) mayAnswer(r *request) bool {
	if r.origin.user.username != "" || r.paid {
		return true
	}
	limit := r.settings.limits.Unauthenticated
	cost := float64(time.Second) / limit.Rate
	burst := min(cost*float64(limit.Burst), float64(24*time.Hour))
	r.paid = g.strangers.of(r.origin.tuple.client.Addr()).take(r.now, time.Duration(min(cost, burst)), time.Duration(burst))
	return r.paid
}

// answer builds an answer and sends it: signed once the client has
// authenticated, with a FINGERPRINT where the request had one.
func (g *guard) answer(r *request, class stun.MessageClass, attrs ...stun.Setter) {
	setters := []stun.Setter{
		&stun.Message{TransactionID: r.transaction()},
		stun.NewType(r.kind.Method, class),
	}
	setters = append(setters, attrs...)
	if r.authenticated {
		setters = append(setters, stun.MessageIntegrity(r.user.key))
	}
	if r.fingerprint {
		setters = append(setters, stun.Fingerprint)
	}
	m, err := stun.Build(setters...)
	if err != nil {
		g.log.Error("building an answer", "err", err)
		return
	}
	r.origin.client.send(m.Raw)
}

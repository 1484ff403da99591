package turnserver

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v2"
)

// sessions begins, ends and holds all sessions of the box.
type sessions struct {
	log      *slog.Logger
	clock    *clock
	engine   *engine
	settings *atomic.Pointer[settings]
	public   func() (v4, v6 netip.Addr)

	table    table
	accounts accounts
	relays   *relaySet
	reserved reservations
	readers  sync.WaitGroup // goroutines that read relay sockets

	draining atomic.Bool
	lastID   atomic.Uint64
	begun    atomic.Uint64
	tally    sync.Mutex // held while a session's counters move to past
	past     counters   // of sessions that have ended

	salt    [4]byte // of the transaction IDs of Data indications
	counter atomic.Uint64

	own atomic.Pointer[ownRelays]
}

// ownRelays are the addresses that relays of this box have, and the public ones
// that the next will have.
type ownRelays struct{ addrs []netip.Addr }

// refusal is why a request is not granted. silent: it gets no answer at all.
type refusal struct {
	code   stun.ErrorCode
	attrs  []stun.Setter
	silent bool
}

func refuse(code stun.ErrorCode) *refusal { return &refusal{code: code} }

func newSessions(log *slog.Logger, clock *clock, st *atomic.Pointer[settings], relays *relaySet, public func() (v4, v6 netip.Addr)) (*sessions, error) {
	m := &sessions{log: log, clock: clock, settings: st, public: public, relays: relays}
	rand.Read(m.salt[:])
	m.own.Store(&ownRelays{})
	var err error
	m.engine, err = newEngine(func(addr netip.Addr) bool {
		return m.isOwn(addr) || st.Load().policy.permits(addr)
	})
	return m, err
}

// isOwn says whether addr is one that relays of this box have. It is asked
// before the peer policy, and opens live relay ports alone.
func (m *sessions) isOwn(addr netip.Addr) bool {
	return slices.Contains(m.own.Load().addrs, addr)
}

// transaction is the ID of a Data indication. Nothing answers those, so it need
// only be another one each time.
func (m *sessions) transaction() (id transactionID) {
	copy(id[:], m.salt[:])
	binary.BigEndian.PutUint64(id[4:], m.counter.Add(1))
	return id
}

// wanted is what a sound Allocate request asks for.
type wanted struct {
	families []byte // in the order of the answer
	optional byte   // the family that may be missing, 0: none
	even     bool
	pair     bool // EVEN-PORT with R: hold the next port too
	claim    *token
	lifetime time.Duration
}

// begin makes a session: quota, ports and sockets first, then pion is asked,
// and only then does it let anything pass. What was taken is given back when it
// fails.
func (m *sessions) begin(user identity, t tuple, c client, id transactionID, want wanted) (*session, *refusal) {
	if m.draining.Load() {
		return nil, refuse(stun.CodeInsufficientCapacity)
	}
	now := m.clock.now()
	s := &session{
		id: m.lastID.Add(1), tuple: t, user: user, since: now, client: c, owner: m,
		origin: id, granted: want.lifetime,
	}
	s.flows.Store(noFlows)
	s.expires.set(now.add(want.lifetime))
	s.asked.set(now)
	s.leg = &engineLeg{name: m.engine.engineName(), ended: s.finish}
	if refused := m.admit(s, want); refused != nil {
		return nil, refused
	}
	if !m.table.add(s) {
		s.leg.Close()
		return nil, refuse(stun.CodeAllocMismatch)
	}
	// Whoever is removed from now on is found in the table by Update.
	if _, there := m.settings.Load().credentials.find(user.username); !there {
		s.leg.Close()
		return nil, refuse(stun.CodeForbidden)
	}
	v, err := m.engine.allocate(s.leg)
	if err != nil || !v.granted {
		s.leg.Close()
		return nil, refuse(refusalCode(v))
	}
	m.addOwn(s.relayed())
	if !s.start() { // ended meanwhile, and pion did not know it then
		m.engine.refresh(s.leg.name, 0)
		return nil, refuse(stun.CodeAllocMismatch)
	}
	m.begun.Add(1)
	return s, nil
}

// refusalCode is pion's, or 500 where it gave none.
func refusalCode(v verdict) stun.ErrorCode {
	if v.code == 0 {
		return stun.CodeServerError
	}
	return v.code
}

// admit takes what a session needs: a place in the quota, and its relays. A
// claimed reservation brings its place along.
func (m *sessions) admit(s *session, want wanted) *refusal {
	var claimed *reservation
	if want.claim != nil {
		res, ok := m.reserved.claim(*want.claim, m.clock.now())
		if !ok {
			return refuse(stun.CodeInsufficientCapacity)
		}
		m.accounts.release(res.account, 1)
		claimed = &res
	}
	places := 1
	if want.pair {
		places = 2
	}
	limits := &m.settings.Load().limits
	acc, full, crowded := m.accounts.take(s.user.account, places, limits.AllocationsPerUser, limits.Allocations)
	if full || crowded {
		m.releaseClaimed(claimed)
		if full {
			return refuse(stun.CodeAllocQuotaReached)
		}
		return refuse(stun.CodeInsufficientCapacity)
	}
	s.account = acc
	if refused := m.openRelays(s, want, claimed); refused != nil {
		for i := range s.relays {
			s.close(i)
		}
		m.accounts.release(acc, places)
		return refused
	}
	if want.pair {
		m.holdNext(s, want.families[0])
	}
	return nil
}

// holdNext keeps the port after the session's for whoever shows the token.
func (m *sessions) holdNext(s *session, family byte) {
	t := m.reserved.hold(reservation{
		port: s.relays[familyIndex(family)].Load().addr.Port() + 1, family: family,
		account: s.account, expires: m.clock.now().add(reservationLifetime),
	})
	s.token = &t
}

func (m *sessions) releaseClaimed(res *reservation) {
	if res != nil {
		m.relays.family[familyIndex(res.family)].ports.release(res.port)
	}
}

// openRelays opens the relays that were asked for, and starts to read them.
func (m *sessions) openRelays(s *session, want wanted, claimed *reservation) *refusal {
	pick := func(p *ports) (uint16, bool, bool) { port, ok := p.take(); return port, false, ok }
	families := want.families
	switch {
	case want.even:
		pick = func(p *ports) (uint16, bool, bool) { port, ok := p.takeEven(want.pair); return port, want.pair, ok }
	case claimed != nil:
		families = []byte{claimed.family}
		pick = once(claimed.port)
	}
	for _, family := range families {
		address, ok := m.relayAddress(family, s.tuple.local.Addr())
		if !ok {
			m.releaseClaimed(claimed)
		}
		if refused := m.openRelay(s, address, pick); refused != nil {
			if family != want.optional {
				return refused
			}
			s.missing, s.missingWhy = family, refused.code
		}
	}
	return nil
}

func (m *sessions) openRelay(s *session, address netip.Addr, pick picker) *refusal {
	if !address.IsValid() {
		return refuse(stun.CodeAddrFamilyNotSupported)
	}
	r, err := m.relays.open(s, address, pick)
	if err != nil {
		if !errors.Is(err, errNoPort) {
			m.log.Warn("no relay for a session", "err", err)
		}
		return refuse(stun.CodeInsufficientCapacity)
	}
	s.relays[familyIndex(familyOf(address))].Store(r)
	m.readers.Go(func() {
		r.read()
		m.relays.release(r.addr)
	})
	return nil
}

// once gives out one port that is taken already.
func once(port uint16) picker {
	given := false
	return func(*ports) (uint16, bool, bool) {
		ok := !given
		given = true
		return port, false, ok
	}
}

// relayAddress is what clients are told as address of relays of a family: the
// public one, else for IPv4 the address that the client has asked.
func (m *sessions) relayAddress(family byte, asked netip.Addr) (netip.Addr, bool) {
	v4, v6 := m.public()
	if family == familyIPv6 {
		return v6, v6.IsValid()
	}
	if !v4.IsValid() && asked.Is4() && !asked.IsUnspecified() {
		v4 = asked
	}
	return v4, v4.IsValid()
}

// offers says whether the box has relays of a family.
func (m *sessions) offers(family byte, asked netip.Addr) bool {
	_, ok := m.relayAddress(family, asked)
	return ok
}

// addOwn enters the addresses of relays that are about to begin. The permissions
// that others had for a new one are void from then on.
func (m *sessions) addOwn(relayed []netip.AddrPort) {
	for _, r := range relayed {
		old := m.own.Load()
		for !slices.Contains(old.addrs, r.Addr()) {
			next := &ownRelays{addrs: append(slices.Clone(old.addrs), r.Addr())}
			if m.own.CompareAndSwap(old, next) {
				m.refilter()
			}
			old = m.own.Load()
		}
	}
}

// refilter takes the permissions of all sessions that are not good any more
// away.
func (m *sessions) refilter() {
	for _, s := range m.table.all() {
		s.refilter()
	}
}

// forget is the one place where a session lets go: see session.finish.
func (m *sessions) forget(s *session) {
	m.retire(s)
	if s.token != nil && !s.started {
		m.dropReservation(*s.token)
	}
	for i := range s.relays {
		s.close(i)
	}
	m.accounts.release(s.account, 1)
}

// retire moves a session's counters to those of the past, so that whoever adds
// up finds each once.
func (m *sessions) retire(s *session) {
	m.tally.Lock()
	defer m.tally.Unlock()
	m.table.remove(s)
	m.past.merge(&s.counters)
}

// end ends a session from our side and returns when nothing of it is left but
// the readers of its sockets, which are on their way out.
func (m *sessions) end(s *session) {
	if s.ending.CompareAndSwap(false, true) {
		m.finish(s)
	}
}

// expire ends a session whose time is over, unless a Refresh has come first.
func (m *sessions) expire(s *session) {
	s.mu.Lock()
	over := s.expires.passed(m.clock.now()) && s.ending.CompareAndSwap(false, true)
	s.mu.Unlock()
	if over {
		m.finish(s)
	}
}

// finish has pion close the session's leg. Nobody else ends it: ending is set.
func (m *sessions) finish(s *session) {
	if _, err := m.engine.refresh(s.leg.name, 0); err != nil {
		m.log.Error("ending a session", "err", err)
	}
	s.leg.Close() // does nothing where pion has closed it
}

// endIf ends the sessions that match.
func (m *sessions) endIf(match func(*session) bool) int {
	n := 0
	for _, s := range m.table.all() {
		if match(s) {
			m.end(s)
			n++
		}
	}
	return n
}

// refresh moves the end of a session once pion has agreed.
func (m *sessions) refresh(s *session, d time.Duration) *refusal {
	if d == 0 {
		m.end(s)
		return nil
	}
	if refused := m.keep(s); refused != nil {
		return refused
	}
	if !s.extend(m.clock.now().add(d)) {
		return refuse(stun.CodeAllocMismatch)
	}
	return nil
}

// keep refreshes pion's idea of a session, so that its timer never fires.
func (m *sessions) keep(s *session) *refusal {
	v, err := m.engine.refresh(s.leg.name, engineLifetime)
	switch {
	case err == nil && v.granted:
		s.asked.set(m.clock.now())
		return nil
	case err == nil && !v.answered: // pion has none
		m.end(s)
		return refuse(stun.CodeAllocMismatch)
	}
	return refuse(refusalCode(v))
}

// dropReservation gives back what a session that never began had reserved.
func (m *sessions) dropReservation(t token) {
	if res, ok := m.reserved.claim(t, m.clock.now()); ok {
		m.releaseClaimed(&res)
		m.accounts.release(res.account, 1)
	}
}

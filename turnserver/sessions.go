package turnserver

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v2"
	"golang.org/x/time/rate"
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
	path     path
	inHand   inHand

	draining atomic.Bool
	lastID   atomic.Uint64
	begun    atomic.Uint64
	tally    sync.Mutex // held while a session's counters move to past
	past     counters   // of sessions that have ended, or are about to

	noRelay rate.Sometimes // tells the owner why there is none: clients ask on and on

	salt    [4]byte // of the transaction IDs of Data indications
	counter atomic.Uint64

	own   atomic.Pointer[ownRelays]
	ownMu sync.Mutex // of who changes it
}

// refusal is why a request is not granted. silent: it gets no answer at all.
type refusal struct {
	code   stun.ErrorCode
	attrs  []stun.Setter
	silent bool
}

func refuse(code stun.ErrorCode) *refusal { return &refusal{code: code} }

func newSessions(log *slog.Logger, clock *clock, st *atomic.Pointer[settings], relays *relaySet, public func() (v4, v6 netip.Addr)) (*sessions, error) {
	m := &sessions{log: log, clock: clock, settings: st, public: public, relays: relays, path: relays.path}
	rand.Read(m.salt[:])
	m.noRelay.Interval = time.Minute
	m.own.Store(&ownRelays{})
	var err error
	m.engine, err = newEngine(func(addr netip.Addr) bool {
		return m.isOwn(addr) || st.Load().policy.permits(addr)
	})
	return m, err
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
	// Whoever is removed, or has another password, from now on is found in the table by
	// Update.
	if now, there := m.settings.Load().credentials.find(user.username); !there || !bytes.Equal(now.key, user.key) {
		s.leg.Close()
		return nil, refuse(stun.CodeForbidden)
	}
	v, err := m.engine.allocate(s.leg)
	if err != nil {
		m.log.Error("asking the TURN engine", "err", err)
	}
	if !v.granted {
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

// forget is the one place where a session lets go: see session.finish.
func (m *sessions) forget(s *session) {
	m.path.release(s)
	m.settle()
	m.retire(s)
	if s.token != nil && !s.started {
		m.dropReservation(*s.token)
	}
	for i := range s.relays {
		s.close(i)
	}
	m.accounts.release(s.account, 1)
}

// settle returns when every packet that was let pass before is sent, or in the queue of
// its client's stream: whatever is forbidden by then does not pass any more.
func (m *sessions) settle() {
	m.path.settle()
	m.inHand.settle()
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
	case err != nil:
		m.log.Error("asking the TURN engine", "err", err)
		return refuse(stun.CodeServerError)
	case v.granted:
		s.asked.set(m.clock.now())
		return nil
	case !v.answered: // pion has none
		m.end(s)
		return refuse(stun.CodeAllocMismatch)
	}
	return refuse(refusalCode(v))
}

package turnserver

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v2"
)

// client is where a session's packets go back to: a UDP 5-tuple or a stream.
type client interface {
	// send passes one message on, and says why it could not. It neither keeps
	// the packet nor waits for the client.
	send(packet []byte) (drop, bool)
	// fits is the largest message that the transport takes, in bytes.
	fits() int
}

// session is one allocation (RFC 8656 section 2.2): a client's 5-tuple, his
// relay addresses, and what he lets pass. It is the truth about them: pion is
// asked before it changes, and the data path reads it.
type session struct {
	// What every packet asks for stands together, in two cache lines.
	expires deadline
	flows   atomic.Pointer[flows]
	relays  [2]atomic.Pointer[relay] // IPv4, IPv6
	account *account
	client  client
	owner   *sessions
	counters

	ending  atomic.Bool
	atDesk  atomic.Int32 // requests that wait to be handled, and data behind them
	mu      sync.Mutex   // guards what follows, and changes of flows
	ended   bool
	started bool
	inner   map[netip.AddrPort]uint16 // the numbers that pion knows channels by

	id       uint64
	tuple    tuple
	user     identity
	requests bucket // of what it may ask for
	since    instant
	leg      *engineLeg
	asked    deadline      // when pion was last asked to refresh
	origin   transactionID // of the Allocate request, to know a retransmission
	token    *token        // given out with EVEN-PORT
	granted  time.Duration // LIFETIME of the Allocate answer
	// missing is the family that ADDRESS-ERROR-CODE in that answer is about, 0
	// for none, and missingWhy its code.
	missing    byte
	missingWhy stun.ErrorCode
}

// drop counts a packet that does not pass. Once the session is ending it counts in the
// past: its own counters are about to go there, and what came after would be lost.
func (s *session) drop(why drop) {
	c := &s.counters
	if s.over() {
		c = &s.owner.past
	}
	c.drop(why)
}

// over says whether nothing may pass any more.
func (s *session) over() bool { return s.ending.Load() }

// relayFor is the session's relay of the family of a peer, or nil.
func (s *session) relayFor(peer netip.Addr) *relay {
	return s.relays[familyIndex(familyOf(peer))].Load()
}

// relayed are the session's relay addresses.
func (s *session) relayed() []netip.AddrPort {
	var addrs []netip.AddrPort
	for i := range s.relays {
		if r := s.relays[i].Load(); r != nil {
			addrs = append(addrs, r.addr)
		}
	}
	return addrs
}

// permit enters permissions, or refreshes them, once pion has agreed. It fails
// where the session has ended meanwhile or a peer has been denied.
func (s *session) permit(peers []netip.AddrPort) stun.ErrorCode {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return stun.CodeAllocMismatch
	}
	for _, p := range peers {
		if s.grant(p.Addr()) == nil {
			return stun.CodeForbidden
		}
	}
	return 0
}

// grant enters or refreshes one permission. mu is held.
func (s *session) grant(addr netip.Addr) *permission {
	own := s.owner.isOwn(addr)
	if !own && !s.owner.settings.Load().policy.permits(addr) {
		return nil
	}
	f := s.flows.Load()
	p := f.permission(addr)
	if p == nil || p.own != own {
		// One from before the address became the box's own, or ceased to be, goes,
		// and its channels with it.
		p = &permission{addr: addr, own: own}
		now := s.owner.clock.now()
		s.flows.Store(f.without(now, func(a netip.Addr) bool { return a != addr }).withPermission(p))
	}
	p.expires.set(s.owner.clock.now().add(permissionLifetime))
	return p
}

// bind enters a channel, or refreshes it, once pion has agreed.
func (s *session) bind(number uint16, peer netip.AddrPort) stun.ErrorCode {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return stun.CodeAllocMismatch
	}
	p := s.grant(peer.Addr())
	if p == nil {
		return stun.CodeForbidden
	}
	now := s.owner.clock.now()
	f := s.flows.Load()
	if c := f.channel(number); c != nil && c.peer == peer && c.permission == p && !c.expires.passed(now) {
		c.expires.set(now.add(channelLifetime))
		return 0
	}
	c := &channel{number: number, peer: peer, permission: p}
	c.expires.set(now.add(channelLifetime))
	s.flows.Store(f.withChannel(c, now))
	return 0
}

// conflict says whether a ChannelBind would bind a number or a peer twice (RFC
// 8656 section 12.2). A number rests for a while before another peer gets it.
func (s *session) conflict(number uint16, peer netip.AddrPort) bool {
	now := s.owner.clock.now()
	f := s.flows.Load()
	if c := f.channel(number); c != nil && c.peer != peer && now.before(c.expires.get().add(channelRest)) {
		return true
	}
	c := f.channelOf(peer)
	return c != nil && c.number != number && !c.expires.passed(now)
}

// room says whether the session may have more: permissions for these peers, or
// a channel, within the limits. What is in force already costs nothing, also where a
// reload has lowered them since.
func (s *session) room(peers []netip.AddrPort, number uint16) bool {
	now := s.owner.clock.now()
	limits := &s.owner.settings.Load().limits
	f := s.flows.Load()
	permissions, channels := f.live(now)
	fresh := make(map[netip.Addr]bool)
	for _, p := range peers {
		if old := f.permission(p.Addr()); old == nil || old.expires.passed(now) {
			fresh[p.Addr()] = true
		}
	}
	if len(fresh) > 0 && permissions+len(fresh) > limits.Permissions {
		return false
	}
	if number == 0 {
		return true
	}
	c := f.channel(number)
	return c != nil && !c.expires.passed(now) || channels < limits.Channels
}

// innerNumber is the number under which pion knows the channel to a peer. pion
// never forgets one, so a peer keeps his; false when all are given out.
func (s *session) innerNumber(peer netip.AddrPort) (uint16, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.inner[peer]; ok {
		return n, true
	}
	const first, last = 0x4000, 0x7FFF // what pion takes
	n := first + len(s.inner)
	if n > last {
		return 0, false
	}
	if s.inner == nil {
		s.inner = make(map[netip.AddrPort]uint16)
	}
	s.inner[peer] = uint16(n)
	return uint16(n), true
}

// refilter takes out what the policy of now denies, and looks again at which
// addresses are those of this box's relays.
func (s *session) refilter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	policy := s.owner.settings.Load().policy
	now := s.owner.clock.now()
	s.flows.Store(s.flows.Load().without(now, func(addr netip.Addr) bool {
		own := s.owner.isOwn(addr)
		p := s.flows.Load().permission(addr)
		return p != nil && p.own == own && (own || policy.permits(addr))
	}))
}

// prune takes out what has ended by itself.
func (s *session) prune(now instant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.flows.Load()
	if len(f.permissions) > 0 {
		s.flows.Store(f.without(now, func(netip.Addr) bool { return true }))
	}
}

// start lets the packets of other sessions of this box in, and fails where the
// session has ended while it was made.
func (s *session) start() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.over() {
		return false
	}
	s.started = true
	s.owner.path.carry(s)
	for i := range s.relays {
		if r := s.relays[i].Load(); r != nil {
			s.owner.relays.publish(r)
		}
	}
	return true
}

// extend moves the session's end, and fails where it is ending.
func (s *session) extend(to instant) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over() {
		return false
	}
	s.expires.set(to)
	return true
}

// finish lets go of everything that the session has, once: pion's Close of its
// leg calls it, or where pion does not know the session, who ends it.
func (s *session) finish() {
	s.ending.Store(true)
	s.mu.Lock()
	s.ended = true
	s.flows.Store(noFlows)
	s.mu.Unlock()
	s.owner.forget(s)
}

// close closes one relay of the session.
func (s *session) close(i int) {
	if r := s.relays[i].Swap(nil); r != nil {
		s.owner.relays.close(r)
	}
}

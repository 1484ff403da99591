package turnserver

import (
	"errors"
	"net/netip"

	"github.com/pion/stun/v2"
)

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

// openRelays opens the relays that were asked for.
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
		address := m.relayAddress(family, s.tuple.local.Addr())
		if !address.IsValid() {
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
			m.noRelay.Do(func() { m.log.Warn("no relay for a session", "err", err) })
		}
		return refuse(stun.CodeInsufficientCapacity)
	}
	s.relays[familyIndex(familyOf(address))].Store(r)
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
// public one, else for IPv4 the address that the client has asked; the zero Addr where
// there is none.
func (m *sessions) relayAddress(family byte, asked netip.Addr) netip.Addr {
	v4, v6 := m.public()
	if family == familyIPv6 {
		return v6
	}
	if !v4.IsValid() && asked.Is4() && !asked.IsUnspecified() {
		v4 = asked
	}
	return v4
}

// offers says whether the box has relays of a family.
func (m *sessions) offers(family byte, asked netip.Addr) bool {
	return m.relayAddress(family, asked).IsValid()
}

// dropReservation gives back what a session that never began had reserved.
func (m *sessions) dropReservation(t token) {
	if res, ok := m.reserved.claim(t, m.clock.now()); ok {
		m.releaseClaimed(&res)
		m.accounts.release(res.account, 1)
	}
}

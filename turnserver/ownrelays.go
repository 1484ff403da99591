package turnserver

import (
	"net/netip"
	"slices"
)

// ownRelays are the addresses that relays of this box have, and the public ones
// that the next will have.
type ownRelays struct{ addrs []netip.Addr }

// isOwn says whether addr is one that relays of this box have. It is asked
// before the peer policy, and opens live relay ports alone.
func (m *sessions) isOwn(addr netip.Addr) bool {
	return slices.Contains(m.own.Load().addrs, addr)
}

// addOwn enters the addresses of relays that are about to begin. The permissions
// that others had for a new one are void from then on.
func (m *sessions) addOwn(relayed []netip.AddrPort) {
	for _, r := range relayed {
		if m.enterOwn(r.Addr()) {
			m.refilter()
		}
	}
}

// enterOwn says whether the address is new.
func (m *sessions) enterOwn(addr netip.Addr) bool {
	m.ownMu.Lock()
	defer m.ownMu.Unlock()
	old := m.own.Load()
	if slices.Contains(old.addrs, addr) {
		return false
	}
	m.own.Store(&ownRelays{addrs: append(slices.Clone(old.addrs), addr)})
	return true
}

// refilter takes the permissions of all sessions that are not good any more
// away. When it returns, nothing passes any more that they had let pass.
func (m *sessions) refilter() {
	for _, s := range m.table.all() {
		s.refilter()
	}
	m.settle()
}

// updateOwn notices that the public address has changed: relays that are made
// from now on have the new one, and the old one is the box's own for as long as
// a live session has it.
func (m *sessions) updateOwn() {
	if m.renewOwn() {
		m.refilter()
	}
}

// renewOwn says whether they are others than before.
func (m *sessions) renewOwn() bool {
	m.ownMu.Lock()
	defer m.ownMu.Unlock()
	var addrs []netip.Addr
	add := func(addr netip.Addr) {
		if addr.IsValid() && !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	v4, v6 := m.public()
	add(v4)
	add(v6)
	for _, s := range m.table.all() {
		for _, r := range s.relayed() {
			add(r.Addr())
		}
	}
	if sameAddrs(m.own.Load().addrs, addrs) {
		return false
	}
	m.own.Store(&ownRelays{addrs: addrs})
	return true
}

func sameAddrs(a, b []netip.Addr) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(addr netip.Addr) bool { return !slices.Contains(b, addr) })
}

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
		for !m.enterOwn(r.Addr()) { // others have changed it meanwhile
		}
	}
}

// enterOwn makes the list anew even where it has the address: updateOwn may be about
// to take it out, and must see that somebody was here.
func (m *sessions) enterOwn(addr netip.Addr) bool {
	old := m.own.Load()
	next, known := &ownRelays{addrs: old.addrs}, slices.Contains(old.addrs, addr)
	if !known {
		next.addrs = append(slices.Clone(old.addrs), addr)
	}
	if !m.own.CompareAndSwap(old, next) {
		return false
	}
	if !known {
		m.refilter()
	}
	return true
}

// refilter takes the permissions of all sessions that are not good any more
// away. When it returns, nothing leaves that they had let pass.
func (m *sessions) refilter() {
	for _, s := range m.table.all() {
		s.refilter()
	}
	m.path.settle()
}

// updateOwn notices that the public address has changed: relays that are made
// from now on have the new one, and the old one is the box's own for as long as
// a live session has it.
func (m *sessions) updateOwn() {
	for tries := 0; tries < 8 && !m.renewOwn(); tries++ { // others have changed it meanwhile
	}
}

func (m *sessions) renewOwn() bool {
	old := m.own.Load()
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
	if sameAddrs(old.addrs, addrs) {
		return true
	}
	if !m.own.CompareAndSwap(old, &ownRelays{addrs: addrs}) {
		return false
	}
	m.refilter()
	return true
}

func sameAddrs(a, b []netip.Addr) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(addr netip.Addr) bool { return !slices.Contains(b, addr) })
}

package turnserver

import (
	"context"
	"net/netip"
	"slices"
	"time"
)

const (
	sweepInterval = time.Second
	// engineKeep is how old pion's idea of a session may get: far less than
	// engineLifetime.
	engineKeep = 20 * time.Minute
	pruneEvery = 60 // sweeps
)

// sweep ends what is over, once a second until ctx ends. The data path has
// looked at every deadline by itself before: nothing passes meanwhile.
func (m *sessions) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.sweepOnce(n%pruneEvery == 0)
		}
	}
}

func (m *sessions) sweepOnce(prune bool) {
	now := m.clock.now()
	m.updateOwn()
	live := m.table.all()
	for _, s := range live {
		switch {
		case s.expires.passed(now):
			m.expire(s)
			continue
		case now.sub(s.asked.get()) > engineKeep:
			m.keep(s)
		}
		if prune {
			s.prune(now)
		}
	}
	m.accounts.prune(now)
	for _, res := range m.reserved.expire(now) {
		m.releaseClaimed(&res)
		m.accounts.release(res.account, 1)
	}
}

// updateOwn notices that the public address has changed: relays that are made
// from now on have the new one, and the old one is the box's own for as long as
// a live session has it.
func (m *sessions) updateOwn() {
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
	if !sameAddrs(old.addrs, addrs) && m.own.CompareAndSwap(old, &ownRelays{addrs: addrs}) {
		m.refilter()
	}
}

func sameAddrs(a, b []netip.Addr) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(addr netip.Addr) bool { return !slices.Contains(b, addr) })
}

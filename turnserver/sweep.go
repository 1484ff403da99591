package turnserver

import (
	"context"
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

package turnserver

import (
	"sync"
	"time"
)

// account is what one user has: his sessions and the port reservations that he
// holds, and what he may still send.
type account struct {
	taken int // guarded by accounts.mu
	flow  bucket
}

// accounts are those with at least one session, and those whose bandwidth is
// not yet as it was before their last.
type accounts struct {
	mu     sync.Mutex // guards what follows, and every account's taken
	byName map[string]*account
	total  int
}

// take counts n allocations more for a user. It fails with full where he has
// reached perUser, and with crowded where the box has reached all.
func (a *accounts) take(name string, n, perUser, all int) (acc *account, full, crowded bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byName == nil {
		a.byName = make(map[string]*account)
	}
	acc = a.byName[name]
	if acc == nil {
		acc = new(account)
	}
	if acc.taken+n > perUser {
		return nil, true, false
	}
	if a.total+n > all {
		return nil, false, true
	}
	acc.taken += n
	a.total += n
	a.byName[name] = acc
	return acc, false, false
}

// release gives n allocations back.
func (a *accounts) release(acc *account, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	acc.taken -= n
	a.total -= n
}

// prune forgets whoever has no session and a full bucket: nobody gets more by
// ending a session and beginning anew.
func (a *accounts) prune(now instant) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, acc := range a.byName {
		if acc.taken == 0 && acc.flow.full.Load() <= int64(now) {
			delete(a.byName, name)
		}
	}
}

// refill gives each user the whole burst of a bandwidth that has just changed.
func (a *accounts) refill() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, acc := range a.byName {
		acc.flow.refill()
	}
}

// pay takes size bytes out of the user's bandwidth, both ways together, of rate
// bytes a second; 0 is no limit. The burst is a fifth of a second, and at least
// what one datagram can hold.
func (acc *account) pay(now instant, size int, rate int64) bool {
	if rate == 0 {
		return true
	}
	cost := time.Duration(int64(size) * int64(time.Second) / rate)
	burst := max(time.Second/5, time.Duration(65536*int64(time.Second)/rate))
	return acc.flow.take(now, cost, burst)
}

package turnserver

import (
	"crypto/rand"
	"sync"
	"time"
)

// reservationLifetime is how long the port after an even one is held for its
// token (RFC 8656 section 7.2).
const reservationLifetime = 30 * time.Second

// token is a RESERVATION-TOKEN (RFC 8656 section 18.10).
type token [8]byte

// reservation is a relay port held for whoever shows its token. It counts
// against the quota of the account that asked for it.
type reservation struct {
	port    uint16
	family  byte
	account *account
	expires instant
}

// reservations are the ports that are held now.
type reservations struct {
	mu   sync.Mutex // guards held
	held map[token]reservation
}

func (r *reservations) hold(res reservation) token {
	var t token
	rand.Read(t[:])
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held == nil {
		r.held = make(map[token]reservation)
	}
	r.held[t] = res
	return t
}

// claim takes the reservation of a token, which is good once.
func (r *reservations) claim(t token, now instant) (reservation, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	res, ok := r.held[t]
	if !ok || !now.before(res.expires) {
		return reservation{}, false
	}
	delete(r.held, t)
	return res, true
}

// valid says whether a token could be claimed.
func (r *reservations) valid(t token, now instant) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	res, ok := r.held[t]
	return ok && now.before(res.expires)
}

// expire takes out what nobody claimed in time.
func (r *reservations) expire(now instant) []reservation {
	r.mu.Lock()
	defer r.mu.Unlock()
	var over []reservation
	for t, res := range r.held {
		if !now.before(res.expires) {
			over = append(over, res)
			delete(r.held, t)
		}
	}
	return over
}

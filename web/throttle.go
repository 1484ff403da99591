package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/netip"
	"sync"
	"time"

	"icebox/internal/hostnet"
)

// How fast passwords can be tried from one address.
const (
	freeAttempts  = 10 // at once
	attemptPeriod = time.Second
	maxWait       = 5 * time.Second // in line, after that the attempt is refused
	maxTried      = 4096            // addresses remembered
)

var errTooMany = errors.New("too many attempts")

// throttle slows the guessing of passwords down, by IPv4 address or IPv6 /64.
// The first wrong ones cost nothing; after that an attempt waits for its turn,
// right or wrong, so that the delay tells nothing. What has been right from an
// address is let through at once: somebody else who guesses from there does not
// lock its user out.
type throttle struct {
	key []byte     // of the fingerprints
	mu  sync.Mutex // guards what follows
	by  map[netip.Addr]*tried
}

// tried is one address: a bucket that wrong attempts fill and time drains.
type tried struct {
	level float64 // attempts
	at    time.Time
	right [sha256.Size]byte // fingerprint of what was right last
}

func newThrottle() *throttle {
	key := make([]byte, sha256.Size)
	rand.Read(key)
	return &throttle{key: key, by: make(map[netip.Addr]*tried)}
}

// try asks check when it is this attempt's turn and says what it answered. The
// error is errTooMany, or that of ctx.
func (t *throttle) try(ctx context.Context, from netip.Addr, user, password string, check func() bool) (bool, error) {
	mark := t.fingerprint(user, password)
	wait, err := t.enter(hostnet.Household(from), mark)
	if err != nil {
		return false, err
	}
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	ok := check()
	if ok {
		t.right(hostnet.Household(from), mark)
	}
	return ok, nil
}

// enter counts an attempt as if it were wrong and says how long it is to wait.
func (t *throttle) enter(from netip.Addr, mark [sha256.Size]byte) (time.Duration, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	b := t.by[from]
	if b == nil {
		t.forget(now)
		b = &tried{at: now}
		t.by[from] = b
	}
	b.drain(now)
	if hmac.Equal(b.right[:], mark[:]) {
		b.level = min(b.level+1, freeAttempts) // given back by right, kept where the password has changed
		return 0, nil
	}
	wait := time.Duration((b.level + 1 - freeAttempts) * float64(attemptPeriod))
	if wait > maxWait {
		return 0, errTooMany
	}
	b.level++
	return wait, nil
}

// right takes an attempt back that was right.
func (t *throttle) right(from netip.Addr, mark [sha256.Size]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b := t.by[from]; b != nil {
		b.level = max(0, b.level-1)
		b.right = mark
	}
}

// forget makes room for one more address: of a few taken at random, which is how
// a map is walked, the one goes that has the fewest attempts to its name.
func (t *throttle) forget(now time.Time) {
	if len(t.by) < maxTried {
		return
	}
	var (
		least netip.Addr
		level = -1.0
		seen  int
	)
	for p, b := range t.by {
		b.drain(now)
		if level < 0 || b.level < level {
			least, level = p, b.level
		}
		if seen++; seen == 16 {
			break
		}
	}
	delete(t.by, least)
}

func (b *tried) drain(now time.Time) {
	b.level = max(0, b.level-now.Sub(b.at).Seconds()/attemptPeriod.Seconds())
	b.at = now
}

// fingerprint stands for a user and a password in memory, of this process only.
func (t *throttle) fingerprint(user, password string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte(user + "\x00" + password))
	return [sha256.Size]byte(mac.Sum(nil))
}

package main

import (
	"context"
	"time"
)

const (
	clockInterval = 5 * time.Second
	// clockSet is a step of the clock that someone has set: what keeps it right
	// otherwise goes in far smaller ones.
	clockSet = time.Minute
)

// followClock gives the peers of rooms new credentials when the clock was set. They end
// by it, and are renewed by the time that has passed: those of a board without a battery,
// whose clock is set after its start, would end hours before that.
func (b *box) followClock(ctx context.Context) error {
	ticker := time.NewTicker(clockInterval)
	defer ticker.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		now := time.Now()
		if wall := now.Round(0).Sub(last.Round(0)); wasSet(wall, now.Sub(last)) {
			b.log.Info("the clock was set: peers of rooms get new credentials")
			b.signaling.PushICE(false)
		}
		last = now
	}
}

// wasSet says whether the clock has gone on by so much more or less than the time that
// has passed that someone has set it.
func wasSet(wall, passed time.Duration) bool { return (wall - passed).Abs() >= clockSet }

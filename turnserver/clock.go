package turnserver

import (
	"sync/atomic"
	"time"
)

// instant is a time on the server's own clock: nanoseconds since it started.
// It goes on while the wall clock is set, and deadlines are kept in it.
type instant int64

func (i instant) add(d time.Duration) instant { return i + instant(d) }
func (i instant) sub(j instant) time.Duration { return time.Duration(i - j) }
func (i instant) before(j instant) bool       { return i < j }

// clock is the server's own. skew is 0 but in tests, which let hours pass by it.
type clock struct {
	started time.Time
	skew    atomic.Int64
}

func (c *clock) now() instant {
	return instant(time.Since(c.started)) + instant(c.skew.Load())
}

// wall is the wall clock's time at i, for people to read.
func (c *clock) wall(i instant) time.Time { return c.started.Add(time.Duration(i)) }

// deadline is an instant that the data path reads while others move it.
type deadline struct{ at atomic.Int64 }

func (d *deadline) set(i instant)           { d.at.Store(int64(i)) }
func (d *deadline) get() instant            { return instant(d.at.Load()) }
func (d *deadline) passed(now instant) bool { return !now.before(d.get()) }

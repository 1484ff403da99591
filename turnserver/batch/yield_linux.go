package batch

import (
	"runtime"
	"time"
)

// yields is when a worker makes way for a goroutine that its Handler has woken. That
// waits for the worker's P, which is kept while the worker waits, until another thread
// steals it, and for who has just been woken that takes its time: a sleep of the
// scheduler, some 60 us in all. But where goroutines want more than all Ps, a worker that
// yields is back only after all of them.
type yields struct {
	wanted bool
	pause  time.Duration // after one that took long
	until  time.Time     // no more before
}

const (
	// longYield is when others have wanted the CPU too.
	longYield = 500 * time.Microsecond
	// firstPause becomes twice as long each time, up to lastPause.
	firstPause = time.Second
	lastPause  = time.Minute
)

// Yield has the worker make way after this turn for a goroutine that the Handler has
// woken, where that can be had for little. A pinned worker would be longer on its way back
// than what is saved.
func (w *Worker) Yield() { w.yields.wanted = w.unpin == nil }

// giveWay does so if that is wanted, nothing waits to be read, and the last time was short.
func (y *yields) giveWay(w *Worker) {
	if !y.wanted {
		return
	}
	y.wanted = false
	now := time.Now()
	if w.busy() || now.Before(y.until) {
		return
	}
	runtime.Gosched()
	y.learn(now, time.Now())
	// The scheduler does not interrupt whoever yields, which else tells of little load.
	if !w.pace.slow && w.pace.rare(w.turns.Load()) {
		w.pace.relax(w)
	}
}

// learn has a pause follow a yield that was long.
func (y *yields) learn(from, to time.Time) {
	if to.Sub(from) < longYield {
		y.pause = 0
		return
	}
	y.pause = min(max(2*y.pause, firstPause), lastPause)
	y.until = to.Add(y.pause)
}

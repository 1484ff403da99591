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
	until  time.Time // none before
}

const (
	// longYield is when others have wanted the CPU too. Another yield comes only after
	// yieldPause times as long then, so that a worker can't be away for more than that
	// share of the time.
	longYield  = 500 * time.Microsecond
	yieldPause = 20
)

// Yield has the worker make way after this turn for a goroutine that the Handler has
// woken, where that can be had for little. A slow one gives its P away in any case, and a
// pinned one would be longer on its way back than what is saved.
func (w *Worker) Yield() { w.yields.wanted = !w.pace.slow && !w.pin }

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
	if w.pace.rare(w.turns.Load()) {
		w.pace.relax(w)
	}
}

// learn has a pause follow a yield that was long.
func (y *yields) learn(from, to time.Time) {
	if took := to.Sub(from); took >= longYield {
		y.until = to.Add(yieldPause * took)
	}
}

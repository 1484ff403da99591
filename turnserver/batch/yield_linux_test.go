package batch

import (
	"testing"
	"time"
)

// TestYieldsPause: after a yield that was long there is none for a while, as long as that
// was; a short one has no such end.
func TestYieldsPause(t *testing.T) {
	at := time.Unix(1e9, 0)
	for took, want := range map[time.Duration]time.Duration{
		100 * time.Microsecond: 0,
		time.Millisecond:       20 * time.Millisecond,
		150 * time.Millisecond: 3 * time.Second,
	} {
		var y yields
		y.learn(at, at.Add(took))
		if got := max(y.until.Sub(at.Add(took)), 0); got != want {
			t.Errorf("after %v there is none for %v, want %v", took, got, want)
		}
	}
	w := new(Worker)
	w.yields.until = time.Now().Add(time.Hour)
	w.Yield()
	w.yields.giveWay(w)
	if !w.pace.since.IsZero() {
		t.Error("it has yielded meanwhile")
	}
}

// yielding is a handler that yields for each datagram.
type yielding struct {
	counting
	worker *Worker
}

func (h *yielding) FromClient(*Datagram) { h.up.Add(1); h.worker.Yield() }

// TestYieldsAndRelaxes: a worker that yields each time notices that little comes.
func TestYieldsAndRelaxes(t *testing.T) {
	h := new(yielding)
	e, listener := newEngine(t, func(w *Worker) Handler { h.worker = w; return h })
	e.Start()
	client := dialUDP(t, listener)
	eventually(t, "the worker to relax", func() bool {
		for range 10 {
			client.Write([]byte("x"))
			time.Sleep(4 * time.Millisecond)
		}
		return ask(e.workers[0], func(w *Worker) bool { return w.pace.slow })
	})
	if h.up.Load() == 0 {
		t.Error("nothing came")
	}
}

// TestYieldsOnlyWhenIdle: where something waits to be read the worker goes on.
func TestYieldsOnlyWhenIdle(t *testing.T) {
	w := &Worker{more: true}
	w.Yield()
	w.yields.giveWay(w)
	if w.yields.wanted || !w.pace.since.IsZero() {
		t.Error("it has yielded")
	}
}

package batch

import (
	"testing"
	"time"
)

// TestYieldsPause: after a yield that was long there is none for a while, and for longer the
// next time; a short one makes up for that.
func TestYieldsPause(t *testing.T) {
	var y yields
	at := time.Unix(1e9, 0)
	took := func(d, want time.Duration) {
		t.Helper()
		y.learn(at, at.Add(d))
		at = at.Add(d)
		if got := max(y.until.Sub(at), 0); got != want {
			t.Errorf("after %v there is none for %v, want %v", d, got, want)
		}
		at = at.Add(want)
	}
	took(100*time.Microsecond, 0)
	took(20*time.Millisecond, time.Second)
	took(time.Millisecond, 2*time.Second)
	for range 10 {
		y.learn(at, at.Add(time.Second))
		at = y.until
	}
	took(time.Second, time.Minute)
	took(10*time.Microsecond, 0)
	took(time.Millisecond, time.Second)
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
	slow := func() bool {
		is := make(chan bool)
		e.workers[0].commands.add(func(w *Worker) { is <- w.pace.slow }, true)
		return <-is
	}
	eventually(t, "the worker to relax", func() bool {
		for range 10 {
			client.Write([]byte("x"))
			time.Sleep(4 * time.Millisecond)
		}
		return slow()
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

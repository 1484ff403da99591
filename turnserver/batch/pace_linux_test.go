package batch

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// TestPace: who hurries and who does not goes by how often something comes, with
// room between the two.
func TestPace(t *testing.T) {
	for _, c := range []struct {
		every        time.Duration
		hurry, stays bool // from a slow pace, and once in a hurry
	}{
		{100 * time.Microsecond, true, true},
		{900 * time.Microsecond, true, true},
		{1100 * time.Microsecond, false, true},
		{1900 * time.Microsecond, false, true},
		{2600 * time.Microsecond, false, false},
		{8 * time.Millisecond, false, false},
		{time.Second, false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := pace{since: time.Now()}
			hurries := false
			for range 2 * hurryWaits {
				time.Sleep(c.every)
				hurries = p.often() || hurries
			}
			if hurries != c.hurry {
				t.Errorf("one each %v: hurries: %v, want %v", c.every, hurries, c.hurry)
			}
		})
		synctest.Test(t, func(t *testing.T) {
			p := pace{since: time.Now()}
			interrupt, rare := time.Now().Add(10*time.Millisecond), false
			for turns := uint64(0); turns < 400; turns += 2 {
				time.Sleep(c.every)
				if time.Now().After(interrupt) {
					interrupt = time.Now().Add(10 * time.Millisecond)
					rare = p.rare(turns+2) || rare
				}
			}
			p.rare(400)
			time.Sleep(time.Millisecond)
			if p.rare(400) {
				t.Errorf("one each %v: a second interruption at once ends the hurry", c.every)
			}
			if rare == c.stays {
				t.Errorf("one each %v: rare: %v, want %v", c.every, rare, !c.stays)
			}
		})
	}
}

// ask has a worker answer.
func ask(w *Worker, question func(*Worker) bool) bool {
	answer := make(chan bool)
	w.commands.add(func(w *Worker) { answer <- question(w) }, true)
	return <-answer
}

// TestPaceOfAWorker: one that runs hurries while much comes, and no longer. A pinned one
// has one CPU meanwhile.
func TestPaceOfAWorker(t *testing.T) {
	for _, pinned := range []bool{false, true} {
		t.Run(fmt.Sprintf("pinned %t", pinned), func(t *testing.T) {
			r := newRig(t, 1, false)
			r.openPeer(t)
			client := dialUDP(t, r.address)
			r.engine.workers[0].pin = pinned
			r.engine.Start()
			slow := func() bool {
				cpus := 0
				slow := ask(r.engine.workers[0], func(w *Worker) bool {
					var may unix.CPUSet
					unix.SchedGetaffinity(0, &may)
					cpus = may.Count()
					return w.pace.slow
				})
				if want := runtime.NumCPU(); pinned && !slow && cpus != 1 || (!pinned || slow) && cpus != want {
					t.Errorf("slow %t: %d CPUs of %d", slow, cpus, want)
				}
				return slow
			}
			comes := func(what string, every time.Duration, want bool) {
				t.Helper()
				eventually(t, what, func() bool {
					for range 20 {
						client.Write(packet(0, 10))
						for sent := time.Now(); time.Since(sent) < every; { // a sleep can be much longer
						}
					}
					return slow() == want
				})
			}
			for range 2 {
				comes("a worker to which little comes does not hurry", 5*time.Millisecond, true)
				comes("one to which much comes does", 50*time.Microsecond, false)
			}
		})
	}
}

package batch

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pace is how a worker waits: in a hurry, of which Go's scheduler does not know; and
// where little comes, slowly, as any other goroutine. The one costs a packet less,
// the other the time between packets: the scheduler interrupts whoever keeps a P
// every 10 ms, has others look for work then, and does not sleep itself.
type pace struct {
	slow  bool
	since time.Time
	waits int    // since then, while slow
	turns uint64 // what Worker.turns was then, in a hurry

	// Go's poller watches the worker's epoll, by a second descriptor of it, while
	// the pace is slow, and only then: it would be woken by every packet too.
	epoll   int
	second  int
	watched *os.File // second, while it is watched
	raw     syscall.RawConn
	look    func(uintptr) bool
	events  int // that look has found
}

// Between a wait each relaxWait and one each hurryWait both paces cost about the same:
// none is left for the other there.
const (
	hurryWait = time.Millisecond
	relaxWait = 2 * time.Millisecond
	// hurryWaits are no chance any more.
	hurryWaits = 10
	// relaxAfter is how long waits are counted at the least before the pace is relaxed.
	relaxAfter = 5 * time.Millisecond
)

// open and close frame everything else. The worker does not run.
func (p *pace) open(epoll int) error {
	p.epoll = epoll
	return p.duplicate()
}

func (p *pace) duplicate() (err error) {
	if p.second, err = unix.FcntlInt(uintptr(p.epoll), unix.F_DUPFD_CLOEXEC, 0); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

func (p *pace) close() {
	if p.second > 0 {
		unix.Close(p.second)
	}
}

// hurry and relax change the pace.
func (p *pace) hurry(w *Worker) {
	p.unwatch()
	w.tie()
	p.slow, p.since, p.turns = false, time.Now(), w.turns.Load()
	go watchPoller()
}

// watchPoller has a thread of its own look after Go's poller, as one does that has run out
// of goroutines. The thread that a worker is on when it begins to hurry may be the one
// that did until then, and keeps none of it while it waits: what others wait for would be
// seen only when the scheduler's monitor looks, after 10 ms or more.
func watchPoller() {}

func (p *pace) relax(w *Worker) {
	p.slow, p.since, p.waits = true, time.Now(), 0
	p.watch(w)
	w.untie()
}

// often says after a wait that was slow whether so many come that it is time to
// hurry.
func (p *pace) often() bool {
	if p.waits++; p.waits < hurryWaits {
		return false
	}
	now := time.Now()
	past := now.Sub(p.since)
	p.since, p.waits = now, 0
	return past < hurryWaits*hurryWait
}

// rare says after a wait that the scheduler has interrupted whether so few come that
// there is no need to hurry.
func (p *pace) rare(turns uint64) bool {
	now := time.Now()
	past := now.Sub(p.since)
	if past < relaxAfter {
		return false
	}
	waits := (turns - p.turns) / 2
	p.since, p.turns = now, turns
	return time.Duration(waits)*relaxWait < past
}

// watch has Go's poller watch. Where it can't, nap has another way.
func (p *pace) watch(w *Worker) {
	if p.second < 0 {
		return
	}
	unix.SetNonblock(p.second, true) // os.NewFile has what does not block watched
	p.watched = os.NewFile(uintptr(p.second), "epoll")
	p.raw, _ = p.watched.SyscallConn()
	if p.look == nil {
		p.look = func(uintptr) bool {
			p.events, _ = epollWait(w.epoll, w.events, 0)
			return p.events > 0
		}
	}
}

// unwatch ends that, which takes the descriptor along: the next one is made now,
// so that a worker always has as many.
func (p *pace) unwatch() {
	if p.watched == nil {
		return
	}
	p.watched.Close()
	p.watched, p.raw = nil, nil
	if p.duplicate() != nil {
		p.second = -1
	}
}

// nap waits as any other goroutine does.
func (p *pace) nap(w *Worker) int {
	if p.raw == nil || p.raw.Read(p.look) != nil {
		p.events, _ = unix.EpollWait(w.epoll, w.events, -1)
	}
	p.waited(w)
	return max(p.events, 0)
}

// waited is told of each wait, which may be the one after which it is time to hurry.
func (p *pace) waited(w *Worker) {
	if p.slow && p.often() {
		p.hurry(w)
	}
}

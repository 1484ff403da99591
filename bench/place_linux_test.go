package bench

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// place is how a thread runs.
type place struct {
	cpu      int  // the only CPU that it may use; below 0: any
	realtime bool // before every other thread
	last     bool // after every other thread
}

// take puts the calling thread in the place and returns what lets it go again.
// The caller has locked the thread.
func (p place) take() (release func(), err error) {
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return nil, fmt.Errorf("read the CPUs of a thread: %w", err)
	}
	if p.cpu >= 0 {
		one.Set(p.cpu)
		if err := unix.SchedSetaffinity(0, &one); err != nil {
			return nil, fmt.Errorf("pin to CPU %d: %w", p.cpu, err)
		}
	}
	if p.realtime {
		if err := schedule(unix.SCHED_FIFO, 1); err != nil {
			unix.SchedSetaffinity(0, &before)
			return nil, fmt.Errorf("go before all other threads: %w", err)
		}
	}
	if p.last {
		if err := schedule(unix.SCHED_IDLE, 0); err != nil {
			unix.SchedSetaffinity(0, &before)
			return nil, fmt.Errorf("let all other threads go first: %w", err)
		}
	}
	return func() {
		if err := schedule(unix.SCHED_NORMAL, 0); err != nil {
			panic(fmt.Sprintf("a thread stays behind all others: %v", err)) // and so would what it starts
		}
		unix.SchedSetaffinity(0, &before)
	}, nil
}

// mayGoFirst says whether realtime places are to be had here.
func mayGoFirst() bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	release, err := place{cpu: -1, realtime: true}.take()
	if err == nil {
		release()
	}
	return err == nil
}

// schedule sets the policy of the calling thread.
func schedule(policy, priority uint32) error {
	return unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: policy, Priority: priority}, 0)
}

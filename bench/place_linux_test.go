package bench

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// place is how a thread runs.
type place struct {
	cpu  int  // the only CPU that it may use; below 0: any
	last bool // after every other thread
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
	if p.last {
		if err := schedule(unix.SCHED_IDLE); err != nil {
			unix.SchedSetaffinity(0, &before)
			return nil, fmt.Errorf("let all other threads go first: %w", err)
		}
	}
	return func() {
		if err := schedule(unix.SCHED_NORMAL); err != nil {
			panic(fmt.Sprintf("a thread stays behind all others: %v", err)) // and so would what it starts
		}
		unix.SchedSetaffinity(0, &before)
	}, nil
}

// schedule sets the policy of the calling thread.
func schedule(policy uint32) error {
	return unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: policy}, 0)
}

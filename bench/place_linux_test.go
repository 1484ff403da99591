package bench

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// place is where a thread runs.
type place struct {
	cpu  int // the only CPU that it may use; below 0: any
	nice int // its priority, from -20 to 19
}

// take puts the calling thread in the place and returns what lets it go again.
// The caller has locked the thread.
func (p place) take() (release func(), err error) {
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return nil, fmt.Errorf("read the CPUs of a thread: %w", err)
	}
	if one.Set(p.cpu); p.cpu < 0 {
		one = before
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return nil, fmt.Errorf("pin to CPU %d: %w", p.cpu, err)
	}
	thread := unix.Gettid()
	if err := unix.Setpriority(unix.PRIO_PROCESS, thread, p.nice); err != nil {
		unix.SchedSetaffinity(0, &before)
		return nil, fmt.Errorf("set the priority %d: %w", p.nice, err)
	}
	return func() {
		unix.Setpriority(unix.PRIO_PROCESS, thread, 0)
		unix.SchedSetaffinity(0, &before)
	}, nil
}

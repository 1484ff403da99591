package turnserver

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// slice is how long a thread asks to go on at a time, in nanoseconds: the least that
// there is. Who asks for little is let in sooner.
const slice = 100_000

// shortSlices asks the kernel to let every thread of the process in soon when it has
// something to do, without more of the CPU in all: the one that has packets, and where
// the world is to be stopped for a collection, each that has to stop. Threads that
// begin later have it from those that begin them. Linux takes it since 6.12, from
// anybody; older ones ignore it.
func shortSlices() {
	asked := make(map[string]bool)
	for before := -1; before < len(asked); { // until no thread has begun meanwhile
		before = len(asked)
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return
		}
		for _, t := range threads {
			if !asked[t.Name()] {
				asked[t.Name()] = true
				if id, err := strconv.Atoi(t.Name()); err == nil {
					setSlice(id, slice)
				}
			}
		}
	}
}

// setSlice is for ordinary threads: of others, the policy says what they get.
func setSlice(thread int, slice uint64) {
	attr, err := unix.SchedGetAttr(thread, 0)
	if err == nil && attr.Policy == unix.SCHED_NORMAL {
		attr.Runtime = slice
		unix.SchedSetAttr(thread, attr, 0)
	}
}

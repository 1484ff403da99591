package turnserver

import (
	"runtime"
	"sync"
)

// procs gives Go's scheduler as many more Ps as there are workers that keep one
// while they wait in the kernel: without them, everything else of the box would
// have that much less. Go no longer follows a CPU limit that changes while icebox
// runs, then.
var procs extraProcs

type extraProcs struct{ mu sync.Mutex } // one change at a time

func (p *extraProcs) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + n)
}

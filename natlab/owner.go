package natlab

import (
	"fmt"
	"strings"
)

// variable is in the environment of every process that Command starts, and of
// its children, and says whose it is.
const variable = "NATLAB_OWNER"

// process is a process for good: its number can be used again, but not with the
// same start time.
type process struct {
	pid     int
	started uint64 // clock ticks after the boot
}

// owner is a lab of a process.
type owner struct {
	process process
	lab     int64 // counted within the process
}

// environ gives the owner as a line of the environment.
func (o owner) environ() string {
	return fmt.Sprintf("%s=%d:%d:%d", variable, o.process.pid, o.process.started, o.lab)
}

// ownerOf finds the owner in an environment as /proc shows it, if there is one.
func ownerOf(environ string) (o owner, ok bool) {
	for line := range strings.SplitSeq(environ, "\x00") {
		value, found := strings.CutPrefix(line, variable+"=")
		if !found {
			continue
		}
		n, err := fmt.Sscanf(value, "%d:%d:%d", &o.process.pid, &o.process.started, &o.lab)
		return o, err == nil && n == 3
	}
	return owner{}, false
}

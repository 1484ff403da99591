package batch

import (
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	maxSegments = 64    // datagrams of one train: UDP_MAX_SEGMENTS of the kernel
	maxHeaders  = 48    // of IPv6 and UDP, which older kernels count among the bytes of maxSegments
	maxTrain    = 65000 // bytes of one, under the 64 KB that an IP packet can have
	// safeSegment fits every path that the kernel believes in (min_pmtu of IPv4 is
	// 552), so that a refusal of it can't be about the path's MTU.
	safeSegment = 552 - 28
)

// ceiling is the size from which on datagrams to one client, or from one relay, can't
// leave as trains; 0: none is known. Goroutines may use it side by side.
type ceiling struct{ size atomic.Int32 }

// limit is how many datagrams a train may have whose first has that size; 1: it
// can't be one.
func (e *Engine) limit(size int, c *ceiling) int {
	top := int(c.size.Load())
	if size == 0 || size > maxTrain || top > 0 && size >= top || !e.Segments() {
		return 1
	}
	return min(maxTrain, maxSegments*size-maxHeaders) / size
}

// fits says whether a datagram of that size can follow others in a train of
// segments: it is no longer, and not empty, since of a train's end nothing is left
// to see then.
func fits(size, segment int) bool { return 0 < size && size <= segment }

// verdict is what an error of a train may say.
type verdict int

const (
	notTheTrain verdict = iota // of single datagrams too; or there is no error
	tooLarge                   // no trains of that size, there
	noTrains                   // none at all
)

func judge(errno syscall.Errno, size int) verdict {
	switch {
	case errno == unix.EMSGSIZE, errno == unix.EINVAL && size > safeSegment:
		return tooLarge
	case errno == unix.EINVAL, errno == unix.EIO, errno == unix.EOPNOTSUPP:
		return noTrains
	}
	return notTheTrain
}

// learn draws the conclusion, for good, when a train of that size was refused of
// which every datagram has passed alone: where only some have, what was in the way
// has come or gone meanwhile, such as the address that they leave from.
func (e *Engine) learn(errno syscall.Errno, size int, c *ceiling) {
	switch judge(errno, size) {
	case tooLarge:
		if top := c.size.Load(); top == 0 || int32(size) < top {
			c.size.Store(int32(size))
		}
	case noTrains:
		if e.segments.Swap(false) {
			e.refused(errno)
		}
	}
}

// Segments says whether runs are sent with UDP_SEGMENT still.
func (e *Engine) Segments() bool { return e.segments.Load() }

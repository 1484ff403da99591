package batch

import (
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	maxSegments = 64    // datagrams of one train: UDP_MAX_SEGMENTS of the kernel
	maxTrain    = 65000 // bytes of one, under the 64 KB that an IP packet can have
	// safeSegment fits every path that IPv6 can take (RFC 8200 section 5), so that
	// a refusal of it can't be about the path's MTU.
	safeSegment = 1280 - 48
)

// segments is what is known of UDP_SEGMENT here: how large a segment may be.
// 0: there are no trains.
type segments struct{ largest atomic.Int32 }

func (s *segments) set(on bool) {
	if on {
		s.largest.Store(maxTrain)
	} else {
		s.largest.Store(0)
	}
}

// on says whether runs are sent as trains.
func (s *segments) on() bool { return s.largest.Load() > 0 }

// limit is how many datagrams a train may have whose first has that size; 1: it
// can't be one.
func (s *segments) limit(size int) int {
	if size == 0 || size > int(s.largest.Load()) {
		return 1
	}
	return min(maxSegments, maxTrain/size)
}

// fits says whether a datagram of that size can follow others in a train of
// segments: it is no longer, and not empty, since of a train's end nothing is left
// to see then.
func fits(size, segment int) bool { return 0 < size && size <= segment }

// verdict is what an error of a train says.
type verdict int

const (
	notTheTrain verdict = iota // of single datagrams too
	tooLarge                   // no trains of that size
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

// shrink ends trains of that size and above.
func (s *segments) shrink(size int) {
	if old := s.largest.Load(); int32(size) <= old {
		s.largest.CompareAndSwap(old, int32(size-1))
	}
}

// refused says whether an error is about the train and not about what is in it,
// and learns of it, for good.
func (w *Worker) refused(errno syscall.Errno, size int) bool {
	switch judge(errno, size) {
	case tooLarge:
		w.engine.segments.shrink(size)
		return true
	case noTrains:
		w.engine.segments.set(false)
		w.handler.Refused(errno)
		return true
	}
	return false
}

// Segments says whether runs are sent with UDP_SEGMENT still.
func (e *Engine) Segments() bool { return e.segments.on() }

package bench

import (
	"math/bits"
	"time"
)

// A histogram's buckets: exact up to 2^fineBits ns, above that 2^fineBits for
// each doubling, so that a value is known to less than one part in a hundred.
const (
	fineBits  = 7
	fine      = 1 << fineBits
	doublings = 30 // to about two minutes
)

// histogram counts durations and never allocates. The zero value is empty.
type histogram struct {
	count   uint64
	buckets [fine * (doublings + 1)]uint32
}

func (h *histogram) add(d time.Duration) {
	h.count++
	h.buckets[bucketOf(d)]++
}

func bucketOf(d time.Duration) int {
	ns := uint64(max(d, 0))
	shift := max(bits.Len64(ns)-fineBits-1, 0)
	if shift >= doublings {
		return fine*(doublings+1) - 1
	}
	return shift*fine + int(ns>>shift)
}

// quantile is in microseconds, the middle of its bucket; of nothing it is 0.
func (h *histogram) quantile(q float64) float64 {
	if h.count == 0 {
		return 0
	}
	left := uint64(q * float64(h.count-1))
	for i, n := range h.buckets {
		if uint64(n) > left {
			return middle(i)
		}
		left -= uint64(n)
	}
	return middle(len(h.buckets) - 1)
}

// middle of a bucket, in microseconds.
func middle(bucket int) float64 {
	if bucket < 2*fine {
		return float64(bucket) / 1000
	}
	shift := bucket/fine - 1
	return float64((2*(bucket-shift*fine)+1)<<shift) / 2000
}

package turnserver

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"
)

// bucket is a token bucket in one word: the time at which it would be full
// again. It takes no lock and allocates nothing.
type bucket struct{ full atomic.Int64 }

// take pays cost, as the time in which that much flows in, out of a bucket that
// holds burst, and says whether there was enough.
func (b *bucket) take(now instant, cost, burst time.Duration) bool {
	for {
		old := b.full.Load()
		at := max(old, int64(now)) + int64(cost)
		if at > int64(now)+int64(burst) {
			return false
		}
		if b.full.CompareAndSwap(old, at) {
			return true
		}
	}
}

// empty says whether the bucket could not pay cost now, and takes nothing.
func (b *bucket) empty(now instant, cost, burst time.Duration) bool {
	return max(b.full.Load(), int64(now))+int64(cost) > int64(now)+int64(burst)
}

// refill fills the bucket: what was taken from it was counted in another rate than that
// of now, and can be far more than it holds.
func (b *bucket) refill() { b.full.Store(0) }

// addressSlots bounds the memory of addressBuckets: 8 bytes each.
const addressSlots = 1 << 14

// addressBuckets are buckets by client address, IPv6 ones by their /64, in a
// table of fixed size: two addresses of one slot share a bucket, and who shares
// with whom is secret, and another at each start.
type addressBuckets struct {
	seed  maphash.Seed
	slots [addressSlots]bucket
}

func newAddressBuckets() *addressBuckets {
	return &addressBuckets{seed: maphash.MakeSeed()}
}

func (a *addressBuckets) of(addr netip.Addr) *bucket {
	b := addr.As16()
	n := len(b)
	if !addr.Is4() {
		n = 8
	}
	return &a.slots[maphash.Bytes(a.seed, b[:n])%addressSlots]
}

// refill fills all of them.
func (a *addressBuckets) refill() {
	for i := range a.slots {
		a.slots[i].refill()
	}
}

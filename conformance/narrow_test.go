//go:build linux

package conformance

import (
	"sync"
	"testing"
)

// narrow is a box with four relay ports, three allocations a user and no IPv6,
// for one check at a time.
type narrow struct {
	mu  sync.Mutex // held by the check that uses it
	box *box
}

func startNarrow(t testing.TB, w *world) *narrow {
	t.Helper()
	return &narrow{box: start(t, w.box, setup{
		index: 1, ipv4: true, allow: peerRanges, relay: "55000-55003",
		limits: `allocations: 1000, allocations_per_user: 3, connections: 5000, connections_per_address: 5000,
    unauthenticated: {rate: 100000, burst: 100000}`,
	})}
}

// narrowly is this scene on the narrow box, which is the test's own until it
// ends.
func (s *scene) narrowly(t *testing.T) *scene {
	t.Helper()
	s.few.mu.Lock()
	t.Cleanup(s.few.mu.Unlock)
	few := *s
	few.box = s.few.box
	return &few
}

package signaling

import (
	"testing"

	"github.com/gorilla/websocket"
)

// TestBroadcastAllocations: a message is encoded once, however many get it.
func TestBroadcastAllocations(t *testing.T) {
	const members, runs = 50, 200
	s := New(unlimited(), quiet())
	set := s.settings.Load()
	var r seedRoom
	for range members {
		sock := newSocket(s, set, pass{}, &door{seed: true})
		sock.queue.items = make([]item, 0, runs+1)
		r.add(sock)
	}
	text := make([]byte, 1000)
	allocs := testing.AllocsPerRun(runs, func() {
		r.broadcast(r.members[0], newFrame(websocket.TextMessage, text), soon)
	})
	if allocs > 2 { // the frame and its bytes
		t.Errorf("%v allocations a message to %d members", allocs, members)
	}
	for _, m := range r.members[1:] {
		if n := len(m.queue.items); n != runs+1 {
			t.Fatalf("a member has %d messages, want %d", n, runs+1)
		}
	}
}

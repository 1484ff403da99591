package signaling

import (
	"slices"
	"sync"
)

// nowhere is the place of a socket that is no member.
const nowhere = -1

// seedRoom is the sockets of / or of one /seed/NAME, which hear each other.
type seedRoom struct {
	name    string
	courier courier
	sockets int // that joined and have not ended; guarded by the hall's lock

	mu      sync.Mutex // guards members and the place of each
	members []*socket  // those that are not closing
}

func (r *seedRoom) add(s *socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.seed, s.courier = r, &r.courier
	s.place = len(r.members)
	r.members = append(r.members, s)
}

func (r *seedRoom) remove(s *socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.place != nowhere {
		r.drop(s)
	}
}

// drop puts the last member where s was. r.mu is held.
func (r *seedRoom) drop(s *socket) {
	last := len(r.members) - 1
	r.members[s.place] = r.members[last]
	r.members[s.place].place = s.place
	r.members[last] = nil
	r.members = r.members[:last]
	s.place = nowhere
}

// broadcast queues f for every member but its sender. It waits for nobody: who
// has no room for f left is closed and is no member from here on. The lock is
// held throughout, which gives the room its one order. From the last to the
// first, since drop moves the last.
func (r *seedRoom) broadcast(from *socket, f *frame, w when) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.members) - 1; i >= 0; i-- {
		if m := r.members[i]; m != from && !m.send(item{frame: f}, w) {
			r.drop(m)
		}
	}
}

func (r *seedRoom) list() []*socket {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.members)
}

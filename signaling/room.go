package signaling

import (
	"slices"
	"sync"
)

// nowhere is the place of a socket that is no member.
const nowhere = -1

// room is the sockets that hear each other.
type room struct {
	name    string
	sockets int // that joined and have not ended; guarded by the hall's lock

	mu      sync.Mutex // guards members and the place of each
	members []*socket  // those that are not closing
}

func (r *room) add(s *socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.room = r
	s.place = len(r.members)
	r.members = append(r.members, s)
}

func (r *room) remove(s *socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.place != nowhere {
		r.drop(s)
	}
}

// drop puts the last member where s was. r.mu is held.
func (r *room) drop(s *socket) {
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
func (r *room) broadcast(from *socket, f *frame) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.members) - 1; i >= 0; i-- {
		if m := r.members[i]; m != from && !m.send(f) {
			r.drop(m)
		}
	}
}

func (r *room) list() []*socket {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.members)
}

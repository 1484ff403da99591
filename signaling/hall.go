package signaling

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// hall holds the rooms and all sockets. Its lock is taken when somebody comes or
// goes, never for a message.
type hall struct {
	mu      sync.Mutex // guards the rest and every room's sockets
	rooms   map[string]*room
	sockets map[*socket]struct{}
	closed  bool
}

func newHall() *hall {
	return &hall{rooms: make(map[string]*room), sockets: make(map[*socket]struct{})}
}

// open adds one to wg, or reports false when the hall is closed: after close
// nothing is added any more, so that wg can be waited for.
func (h *hall) open(wg *sync.WaitGroup) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	wg.Add(1)
	return true
}

// join makes s a member of the room of that name, unless no refuses it already
// or the room has been closed since the request was screened. Either way s is
// known from here on, until leave.
func (h *hall) join(s *socket, name string, no *refusal, current *atomic.Pointer[settings]) *refusal {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sockets[s] = struct{}{}
	switch {
	case no != nil:
		return no
	case h.closed:
		return refuseClosing
	case name == "" && !current.Load().seedRoom:
		return refuseSeedOff
	}
	r := h.rooms[name]
	if r == nil {
		r = &room{name: name}
		h.rooms[name] = r
	}
	r.sockets++
	r.add(s)
	return nil
}

// leave forgets s, and its room with the last socket of it.
func (h *hall) leave(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, s)
	r := s.room
	if r == nil {
		return
	}
	r.remove(s)
	if r.sockets--; r.sockets == 0 {
		delete(h.rooms, r.name)
	}
}

// update puts next in force and returns who has to go: the members of / when it
// is no longer there.
func (h *hall) update(current *atomic.Pointer[settings], next *settings) []*socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	current.Store(next)
	r := h.rooms[""]
	if next.seedRoom || r == nil {
		return nil
	}
	return r.list()
}

// close lets nobody in any more and returns who is there.
func (h *hall) close() []*socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	return slices.Collect(maps.Keys(h.sockets))
}

func (h *hall) all() []*socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.sockets))
}

func (h *hall) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.rooms)
}

package signaling

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// hall holds the rooms and all sockets. Its lock is taken when somebody comes or
// goes, never for a message.
type hall struct {
	mu      sync.Mutex // guards the rest and every seed room's count of sockets
	seeds   map[string]*seedRoom
	rooms   map[string]*room // each has a member, or is about to go
	sockets map[*socket]struct{}
	closed  bool
}

func newHall() *hall {
	return &hall{
		seeds:   make(map[string]*seedRoom),
		rooms:   make(map[string]*room),
		sockets: make(map[*socket]struct{}),
	}
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

// know makes s known, until leave.
func (h *hall) know(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sockets[s] = struct{}{}
}

// join makes s a member of the seed's room of that name, unless it or all have
// been closed since the request was screened.
func (h *hall) join(s *socket, name string, current *atomic.Pointer[settings]) *refusal {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return refuseClosing
	case name == "" && !current.Load().seedRoom:
		return refuseSeedOff
	}
	r := h.seeds[name]
	if r == nil {
		r = &seedRoom{name: name}
		h.seeds[name] = r
	}
	r.sockets++
	r.add(s)
	return nil
}

// lockRoom returns the room of that name locked, a new one if need be.
func (h *hall) lockRoom(name string, s *Server) (*room, *refusal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, refuseClosing
	}
	r := h.rooms[name]
	if r == nil {
		r = &room{name: name, server: s}
		h.rooms[name] = r
	}
	r.mu.Lock()
	return r, nil
}

// member is whose token the request has, or nil.
func (h *hall) member(d *door) *member {
	if d.resume == "" {
		return nil
	}
	h.mu.Lock()
	r := h.rooms[d.room]
	h.mu.Unlock()
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	id, _, _ := strings.Cut(d.resume, ".")
	if m := r.find(id); m != nil && m.proves(d.resume) {
		return m
	}
	return nil
}

// prune forgets r if nobody is in it.
func (h *hall) prune(r *room) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.members) == 0 && h.rooms[r.name] == r {
		delete(h.rooms, r.name)
	}
}

// leave forgets s, and the seed's room with the last socket of it.
func (h *hall) leave(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, s)
	r := s.seed
	if r == nil {
		return
	}
	r.remove(s)
	if r.sockets--; r.sockets == 0 {
		delete(h.seeds, r.name)
	}
}

// update puts next in force and returns who has to go: the members of / when it
// is no longer there.
func (h *hall) update(current *atomic.Pointer[settings], next *settings) []*socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	current.Store(next)
	r := h.seeds[""]
	if next.seedRoom || r == nil {
		return nil
	}
	return r.list()
}

// close lets nobody in any more, ends every membership, and returns the sockets
// that are there.
func (h *hall) close() []*socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for name, r := range h.rooms {
		r.dissolve()
		delete(h.rooms, name)
	}
	return slices.Collect(maps.Keys(h.sockets))
}

func (h *hall) allRooms() []*room {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Values(h.rooms))
}

func (h *hall) all() []*socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.sockets))
}

func (h *hall) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.rooms) + len(h.seeds)
}

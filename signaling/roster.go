package signaling

import "sync"

// roster is the ids of all members of all rooms, and whether each is invited.
type roster struct {
	mu  sync.Mutex // guards ids
	ids map[string]bool
}

func (r *roster) add(m *member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids[m.id] = m.invited
}

func (r *roster) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.ids, id)
}

func (r *roster) find(id string) (invited, there bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	invited, there = r.ids[id]
	return invited, there
}

// Gone says whether the TURN credentials of the peer id are no good any more: it is in
// no room, since it has left for good or was there before the box was started, or is a
// guest where guests get none. What no peer of a room can be called is not gone.
func (s *Server) Gone(id string) bool {
	if !isID(id) {
		return false
	}
	invited, there := s.roster.find(id)
	return !there || !invited && !s.settings.Load().guestsRelay
}

package signaling

import "sync"

// roster is the ids of all members of all rooms.
type roster struct {
	mu  sync.Mutex // guards ids
	ids map[string]struct{}
}

func (r *roster) add(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids[id] = struct{}{}
}

func (r *roster) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.ids, id)
}

func (r *roster) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, there := r.ids[id]
	return there
}

// Gone says whether id is that of a peer which is in no room: it has left for
// good, or was there before the box was started. What no peer of a room can be
// called is not gone.
func (s *Server) Gone(id string) bool { return isID(id) && !s.roster.has(id) }

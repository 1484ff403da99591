package signaling

import (
	"slices"
	"sync"
)

// room is the members of one /ws/ROOM. Its lock gives what happens in it one
// order, which all members see. Nothing is waited for under the lock: what goes
// out is queued.
type room struct {
	name    string
	server  *Server
	courier courier

	mu      sync.Mutex // guards members, and what each of them says that it guards
	members []*member  // in the order in which they came
}

// add makes m the last member and tells the others. mu is held.
func (r *room) add(m *member) {
	r.tell(notice(typeJoined, m.id), nil, atOnce)
	m.room = r
	r.members = append(r.members, m)
	r.server.roster.add(m)
}

// remove ends the membership of m for good and tells the others. mu is held;
// server.parted has to follow without it.
func (r *room) remove(m *member) {
	i := slices.Index(r.members, m)
	r.members = slices.Delete(r.members, i, i+1)
	m.release()
	r.tell(notice(typeLeft, m.id), nil, atOnce)
}

// tell delivers a frame to all members but one. mu is held.
func (r *room) tell(f *frame, but *member, w when) {
	for _, m := range r.members {
		if m != but {
			m.deliver(f, w)
		}
	}
}

// find is the member of that id, or nil. mu is held.
func (r *room) find(id string) *member {
	for _, m := range r.members {
		if m.id == id {
			return m
		}
	}
	return nil
}

// others are the ids of all members but one. mu is held.
func (r *room) others(but *member) []string {
	ids := make([]string, 0, len(r.members))
	for _, m := range r.members {
		if m != but {
			ids = append(ids, m.id)
		}
	}
	return ids
}

// receive takes a message that came over s and passes it on, or tells its sender
// what is wrong with it. When the member has come back over another connection
// meanwhile, it will send there what was not taken here.
func (m *member) receive(s *socket, text []byte, w when) {
	e, wrong := openEnvelope(text)
	var out *frame
	if wrong == nil {
		out = relayed(m.id, e.inside)
	}
	m.room.mu.Lock()
	defer m.room.mu.Unlock()
	if m.socket != s {
		return
	}
	m.taken++
	if wrong == nil {
		wrong = m.room.pass(m, &e, out, w)
	}
	if wrong == nil {
		return
	}
	if !s.send(item{frame: encode(failure{typeError, wrong.code, wrong.message, m.taken})}, w) {
		m.lose()
	}
}

// pass delivers what a member has sent. mu is held.
func (r *room) pass(from *member, e *envelope, out *frame, w when) *fault {
	if !e.direct {
		r.tell(out, from, w)
		return nil
	}
	to := r.find(e.to)
	if to == nil {
		return faultUnknown
	}
	to.deliver(out, w)
	return nil
}

// depart notes that s has ended: forGood, or so that its member may come back.
func (m *member) depart(s *socket, forGood bool) {
	r := m.room
	r.mu.Lock()
	current := !m.gone && m.socket == s
	switch {
	case current && forGood:
		r.remove(m)
	case current:
		m.lose()
	}
	r.mu.Unlock()
	if current && forGood {
		r.server.parted(m)
	}
}

// parted follows when a member has been removed.
func (s *Server) parted(m *member) {
	s.roster.remove(m.id)
	s.hall.prune(m.room)
	if s.opt.Left != nil {
		s.opt.Left(m.id)
	}
}

// dissolve forgets all members, without a word.
func (r *room) dissolve() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.members {
		m.release()
		r.server.roster.remove(m.id)
	}
	r.members = nil
}

package signaling

import "time"

// door is what the request for a socket asked for.
type door struct {
	seed bool   // of the seed's relay; then room is all there is
	room string // empty: the seed's /

	host   string // the Host header
	invite string // the token
	valid  bool   // the token is a good one; admit says so
	resume string // the token of a member that comes back; empty: a new one
	last   uint64 // the last seq that it has
}

// admit says whether a new peer may enter, and whether as one who is invited. Where
// anybody may, an invite that is no good makes a guest. One that comes back has been
// asked already.
func (d *door) admit(set *settings) *refusal {
	if d.resume != "" {
		return nil
	}
	no := set.invites.check(d.invite, d.room, time.Now())
	d.valid = no == nil
	if set.open {
		return nil
	}
	return no
}

// enter makes the socket that of a member, new or of before, and queues its
// welcome.
func (s *socket) enter() *refusal {
	d := s.door
	s.door = nil
	if d.resume != "" {
		return s.comeBack(d)
	}
	m := newMember(d, s.limiter)
	servers := s.server.iceServers(m)
	r, no := s.server.hall.lockRoom(d.room, s.server)
	if no != nil {
		return no
	}
	defer r.mu.Unlock()
	if len(r.members) >= s.server.settings.Load().maxPeers {
		return refuseRoomFull
	}
	r.add(m)
	s.greet(m, servers, false)
	if s.server.outdated(servers) { // and whoever told the others may not have seen m
		s.server.after(0, func() { m.pushICE(true) })
	}
	return nil
}

// comeBack gives a member the socket in place of the one that it has lost, or
// has not noticed yet that it has lost. One that can't be told everything it has
// missed leaves for good, on either. Who has had more already is an attempt that was
// long under way, and changes nothing.
func (s *socket) comeBack(d *door) *refusal {
	m := s.server.hall.member(d)
	if m == nil {
		return refuseResume
	}
	servers := s.server.iceServers(m)
	m.room.mu.Lock()
	if m.gone || d.last < m.has {
		m.room.mu.Unlock()
		return refuseResume
	}
	old := m.socket
	if !m.kept.covers(d.last, m.seq) {
		m.room.remove(m)
		m.room.mu.Unlock()
		s.server.parted(m)
		old.dismiss(refuseResume)
		return refuseResume
	}
	defer m.room.mu.Unlock()
	old.dismiss(refuseTaken)
	m.has = d.last
	m.kept.forget(d.last, &s.server.kept)
	s.limiter = m.limiter
	s.limit()
	s.greet(m, servers, true)
	s.server.stats.resumed.Add(1)
	return nil
}

// dismiss ends a socket that is nobody's any more, if there is one.
func (s *socket) dismiss(no *refusal) {
	if s != nil {
		s.server.count(no)
		s.shut(s.lastWords(no), s.server.tuning.linger)
	}
}

// greet ties s and m together and queues the welcome and what m has missed.
// room.mu is held.
func (s *socket) greet(m *member, servers servers, resumed bool) {
	m.bind(s)
	m.renewLater(servers.ttl)
	hello := encode(welcome{
		Type: typeWelcome, ID: m.id, Room: m.room.name, Peers: m.room.others(m),
		ICEServers: servers.list, TTL: servers.seconds(),
		Resume: m.token(), Resumed: resumed, Received: m.taken,
	})
	s.begin(hello, m.kept.items)
}

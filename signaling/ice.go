package signaling

import (
	"encoding/json"
	"slices"
	"time"
)

// servers are iceServers for one peer.
type servers struct {
	list  json.RawMessage
	ttl   time.Duration // of the credentials among them; 0: none
	asked uint64        // Server.pushes, from before they were made
}

func (v servers) seconds() int { return int(v.ttl / time.Second) }

// iceServers asks for those of a member. No lock is held.
func (s *Server) iceServers(m *member) servers {
	asked := s.pushes.Load()
	if s.opt.ICE == nil {
		return servers{list: json.RawMessage("[]"), asked: asked}
	}
	list, ttl := s.opt.ICE(m.host, m.id, m.invited || s.settings.Load().guestsRelay)
	return servers{list, ttl, asked}
}

// outdated says whether there have been others since these were asked for.
func (s *Server) outdated(v servers) bool { return v.asked != s.pushes.Load() }

// PushICE sends every peer of every room new iceServers: with restart, because the
// public address has changed and running calls have to find new ways.
func (s *Server) PushICE(restart bool) {
	s.pushes.Add(1)
	for _, r := range s.hall.allRooms() {
		r.mu.Lock()
		members := slices.Clone(r.members)
		r.mu.Unlock()
		for _, m := range members {
			m.pushICE(restart)
		}
	}
}

// pushICE makes new iceServers for m and delivers them, never older ones after newer.
func (m *member) pushICE(restart bool) {
	s := m.room.server
	servers := s.iceServers(m)
	m.room.mu.Lock()
	defer m.room.mu.Unlock()
	for s.outdated(servers) {
		m.room.mu.Unlock()
		servers = s.iceServers(m)
		m.room.mu.Lock()
	}
	m.deliver(encodeNumbered(iceServers{typeICE, servers.list, servers.seconds(), restart}), atOnce)
	m.renewLater(servers.ttl)
}

// renewLater has m's credentials renewed when three quarters of ttl are over, so
// that one that lasts a day is good for six hours at least. room.mu is held.
func (m *member) renewLater(ttl time.Duration) {
	s := m.room.server
	s.cancel(m.renewal)
	m.renewal = nil
	if ttl > 0 && !m.gone {
		m.renewal = s.after(ttl-ttl/4, func() { m.pushICE(false) })
	}
}

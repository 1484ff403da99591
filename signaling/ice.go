package signaling

import (
	"encoding/json"
	"time"
)

// servers are iceServers for one peer.
type servers struct {
	list json.RawMessage
	ttl  time.Duration // of the credentials among them; 0: none
}

func (v servers) seconds() int { return int(v.ttl / time.Second) }

// iceServers asks for those of a member.
func (s *Server) iceServers(m *member) servers {
	if s.opt.ICE == nil {
		return servers{list: json.RawMessage("[]")}
	}
	list, ttl := s.opt.ICE(m.host, m.id, m.relay)
	return servers{list, ttl}
}

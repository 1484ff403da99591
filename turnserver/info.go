package turnserver

import (
	"net/netip"
	"time"
)

// SessionInfo is what one session is and has done, at one moment.
type SessionInfo struct {
	ID        uint64         // counted from 1 since the start
	User      string         // the user name of the Allocate request
	Client    netip.AddrPort // as the box sees it
	Local     netip.AddrPort // the address that the client asked
	Transport string         // udp, tcp or tls
	Since     time.Time
	Expires   time.Time
	Relayed   []netip.AddrPort // relay addresses
	Peers     []netip.Addr     // with a permission in force

	UpPackets, UpBytes     uint64 // client to peers; bytes of payload
	DownPackets, DownBytes uint64
	Drops                  map[string]uint64 // packets not passed on, by cause
}

// Sessions lists the live sessions, in no order.
func (s *Server) Sessions() []SessionInfo {
	all := s.sessions.table.all()
	infos := make([]SessionInfo, len(all))
	for i, x := range all {
		infos[i] = x.info()
	}
	return infos
}

// End ends one session by its ID at once, and says whether it was there.
func (s *Server) End(id uint64) bool {
	return s.sessions.endIf(func(x *session) bool { return x.id == id }) > 0
}

// EndUser ends all sessions of a static user at once, those with time-limited
// credentials of his too, and says how many there were.
func (s *Server) EndUser(name string) int {
	return s.sessions.endIf(func(x *session) bool { return owningUser(x.user.account) == name })
}

// EndPeer ends all sessions of a peer at once, those with credentials that MintPeer
// has made for its id, and says how many there were.
func (s *Server) EndPeer(id string) int {
	account := restAccount + restPeer + id
	return s.sessions.endIf(func(x *session) bool { return x.user.account == account })
}

func (s *session) info() SessionInfo {
	now := s.owner.clock.now()
	info := SessionInfo{
		ID: s.id, User: s.user.username,
		Client: s.tuple.client, Local: s.tuple.local, Transport: s.tuple.transport.String(),
		Since: s.owner.clock.wall(s.since), Expires: s.owner.clock.wall(s.expires.get()),
		Relayed:   s.relayed(),
		UpPackets: s.upPackets.Load(), UpBytes: s.upBytes.Load(),
		DownPackets: s.downPackets.Load(), DownBytes: s.downBytes.Load(),
		Drops: make(map[string]uint64),
	}
	for _, p := range s.flows.Load().permissions {
		if !p.expires.passed(now) {
			info.Peers = append(info.Peers, p.addr)
		}
	}
	for why := range s.drops {
		if n := s.drops[why].Load(); n > 0 {
			info.Drops[dropNames[why]] = n
		}
	}
	return info
}

package turnserver

import (
	"slices"
	"time"

	"icebox/config"
)

// Update puts a new configuration in force: users, secrets, peer policy and
// limits at once, for every request and every packet from now on. The sessions
// of users who are gone, or have another password now, end, and peers who are
// denied now are not heard any more. What cannot change while the server runs is
// named in the log.
func (s *Server) Update(cfg *config.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuseFixed(cfg)
	next := newSettings(cfg, *s.own.Load(), s.gone)
	old := s.settings.Swap(next)
	s.sessions.endIf(func(x *session) bool { return next.credentials.revoke(old.credentials, x.user.username) })
	s.sessions.refilter()
	s.refill(&old.limits, &next.limits)
}

// refill forgets what was taken under other rates. No packet pays by those any more: that
// is settled.
func (s *Server) refill(was, now *config.Limits) {
	if now.BandwidthPerUser != was.BandwidthPerUser {
		s.sessions.accounts.refill()
	}
	if now.Unauthenticated != was.Unauthenticated {
		s.guard.strangers.refill()
	}
}

// refuseFixed logs the changes that need a restart.
func (s *Server) refuseFixed(cfg *config.Config) {
	was := &s.startedAs.TURN
	for _, fixed := range []struct {
		key     string
		changed bool
	}{
		{"turn.listen", !slices.Equal(cfg.TURN.Listen, was.Listen)},
		{"turn.relay.ports", cfg.TURN.Relay.Ports != was.Relay.Ports},
		{"turn.relay.address", cfg.TURN.Relay.Address != was.Relay.Address},
		{"turn.relay.datapath", cfg.TURN.Relay.DataPath != was.Relay.DataPath},
		{"turn.relay.pin", cfg.TURN.Relay.Pin != was.Relay.Pin},
	} {
		if fixed.changed {
			s.log.Warn("this key cannot change while the box runs: restart it", "key", fixed.key)
		}
	}
}

// setOwn makes the peer policy anew when addresses of the host have changed.
func (s *Server) setOwn(own ownAddresses) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own.Store(&own)
	s.settings.Store(newSettings(s.settings.Load().cfg, own, s.gone))
	s.sessions.refilter()
}

// Authenticate says whether password is that of the static user name. It takes
// the same time for every wrong one.
func (s *Server) Authenticate(user, password string) bool {
	return s.settings.Load().credentials.authenticate(user, password)
}

// Mint makes time-limited credentials of the static user name, good for ttl. It
// fails where there is no such user.
func (s *Server) Mint(name string, ttl time.Duration) (username, password string, ok bool) {
	c := s.settings.Load().credentials
	if _, there := c.users[name]; !there {
		return "", "", false
	}
	username, password = MintUser(c.secret, name, time.Now().Add(ttl))
	return username, password, true
}

// MintPeer makes time-limited credentials for a peer of a room or a guest, good
// for ttl.
func (s *Server) MintPeer(id string, ttl time.Duration) (username, password string) {
	return MintPeer(s.settings.Load().credentials.secret, id, time.Now().Add(ttl))
}

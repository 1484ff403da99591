package signaling

import (
	"time"

	"golang.org/x/time/rate"

	"icebox/config"
)

// settings is what the configuration says about signaling. It is never changed:
// Update makes a new one.
type settings struct {
	origins        origins
	seedRoom       bool
	maxMessage     int64 // bytes
	maxPeers       int   // in a room of /ws
	maxConnections int
	perAddress     int
	rate           rate.Limit // messages a second
	burst          int
	resume         time.Duration // for a lost connection to come back
	open           bool          // anybody may enter a room
	guestsRelay    bool          // and gets TURN credentials there
	invites        inviter
}

func newSettings(cfg *config.Config) *settings {
	c := &cfg.Signaling
	return &settings{
		origins:        c.Origins,
		seedRoom:       c.SeedRoom,
		maxMessage:     c.MaxMessage,
		maxPeers:       c.MaxPeers,
		maxConnections: c.MaxConnections,
		perAddress:     c.ConnectionsPerAddress,
		rate:           rate.Limit(c.Messages.Rate),
		burst:          c.Messages.Burst,
		resume:         c.Resume,
		open:           c.Access == "open",
		guestsRelay:    c.GuestsRelay(),
		invites:        newInviter(cfg.TURN.Secret),
	}
}

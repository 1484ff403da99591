package signaling

import (
	"golang.org/x/time/rate"

	"icebox/config"
)

// settings is what the configuration says about signaling. It is never changed:
// Update makes a new one.
type settings struct {
	origins        origins
	seedRoom       bool
	maxMessage     int64 // bytes
	maxConnections int
	perAddress     int
	rate           rate.Limit // messages a second
	burst          int
}

func newSettings(cfg *config.Config) *settings {
	c := &cfg.Signaling
	return &settings{
		origins:        c.Origins,
		seedRoom:       c.SeedRoom,
		maxMessage:     c.MaxMessage,
		maxConnections: c.MaxConnections,
		perAddress:     c.ConnectionsPerAddress,
		rate:           rate.Limit(c.Messages.Rate),
		burst:          c.Messages.Burst,
	}
}

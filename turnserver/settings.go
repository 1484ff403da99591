package turnserver

import (
	"icebox/config"
)

// settings are what a reload can change: one of them is swapped for another as
// a whole.
type settings struct {
	cfg         *config.Config
	credentials *credentials
	policy      *policy
	limits      config.Limits
}

func newSettings(cfg *config.Config, own ownAddresses, gone func(id string) bool) *settings {
	return &settings{
		cfg:         cfg,
		credentials: newCredentials(&cfg.TURN, gone),
		policy:      newPolicy(cfg.TURN.Peers.Allow, cfg.TURN.Peers.Deny, own),
		limits:      cfg.TURN.Limits,
	}
}

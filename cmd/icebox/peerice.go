package main

import (
	"encoding/json"
	"time"

	"icebox/config"
	"icebox/web"
)

// peerICE is what signaling gives a peer of a room: iceServers as a JSON array,
// and how long the credentials among them are good for. They are the peer's own.
// They are at domain, else at the host which the peer's request named; at a private
// address that it named, too.
func (b *box) peerICE(requestHost, id string, relay bool) (json.RawMessage, time.Duration) {
	cfg := b.web.Config() // in force: what can't change while icebox runs is as it was
	hosts, err := web.HostsOf(cfg, requestHost)
	if err != nil {
		return json.RawMessage("[]"), 0 // no browser sends such a Host header
	}
	var cred web.Credentials
	if relay {
		cred.TTL = cfg.TURN.CredentialTTL
		cred.Username, cred.Password = b.turn.MintPeer(id, cred.TTL)
	}
	ice := web.ICEServers(cfg, b.turn.Addrs(), hosts, cred, b.certs.Enabled() && b.certs.Trusted())
	list, err := json.Marshal(ice.Servers)
	if err != nil || len(ice.Servers) == 0 {
		return json.RawMessage("[]"), 0
	}
	return list, cred.TTL
}

// givesOtherICE says whether peers need other iceServers than they had under old,
// because credentials or URLs of then are no good any more.
func givesOtherICE(old, now *config.Config) bool {
	return old.TURN.Secret != now.TURN.Secret || old.TURN.Realm != now.TURN.Realm ||
		old.Signaling.GuestsRelay() != now.Signaling.GuestsRelay() || old.Domain != now.Domain || old.Public.URL != now.Public.URL || old.Public.TURNPort != now.Public.TURNPort
}

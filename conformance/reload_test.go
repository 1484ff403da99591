//go:build linux

package conformance

import "testing"

// TestDenialAfterReload: a peer that the owner denies goes silent at once, in
// sessions that have permitted it before. The other peers notice nothing.
func TestDenialAfterReload(t *testing.T) {
	w := newWorld(t)
	s := &scene{world: w, box: start(t, w.box, setup{allow: peerRanges}), transport: udp}
	c, relay, denied := s.relayed(t)
	other := s.stranger(t)
	c.permit(other)
	c.must(channelBind, channelNumber(0x4000), peerAddress(denied.addr))
	c.wantBound(relay, denied, 0x4000)

	s.box.setup.deny = []string{denied.addr.Addr().String() + "/32"}
	s.box.configure(t)
	eventually(t, "the new configuration in force", func() bool {
		return s.login(t).allocatesButNot(denied)
	})
	c.wantCutOff(relay, denied)
	c.write(channelData(0x4000, mark("up"), true))
	denied.wantNothing(t)
	c.wantRefused(c.call(createPermission, peerAddress(denied.addr)), 403)
	c.wantRefused(c.call(channelBind, channelNumber(0x4000), peerAddress(denied.addr)), 403)
	c.wantRelayed(relay, other)
}

// allocatesButNot says whether a new session may not reach the peer.
func (c *client) allocatesButNot(p *peer) bool {
	c.t.Helper()
	c.allocate()
	return c.call(createPermission, peerAddress(p.addr)).code() == 403
}

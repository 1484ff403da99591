package e2e

import "testing"

// atHome opens the page of a room from the box's own network by the box's address
// there. The router has no hairpin: boxPublic is not reached.
func (w *world) atHome(name, room, invite string) *visitor {
	w.t.Helper()
	host := w.router.Host(name)
	return browse(w.t, host, "https://"+w.box.Host.Addr().String()+":3002/r/"+room+"#"+invite)
}

// TestRoomAtHome: a caller in the box's own house, whose router has no hairpin,
// reaches one outside whose router is symmetric by the relay of the box, though
// the box has a domain.
func TestRoomAtHome(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	invite := w.invite("kitchen")
	alice := w.atHome("alice", "kitchen", invite)
	bob := enter(t, w.home(symmetric).Host("bob"), "kitchen", invite)
	all := together(t, alice, bob)
	if local := all[0][0].Local; local.CandidateType != "relay" {
		t.Errorf("alice goes out by %v, want a relay", local)
	}
}

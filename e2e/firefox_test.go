package e2e

import (
	"testing"

	"icebox/e2e/browser"
	"icebox/natlab"
)

// firefox opens a page of the box in Firefox.
func firefox(t *testing.T, host *natlab.Host, path string) *visitor {
	t.Helper()
	f := browser.StartFirefox(t, host.Command, host.Dial, boxPublic)
	f.Open("https://" + boxName + ":3002" + path)
	return &visitor{t: t, name: host.Name(), firefox: f, connections: "[...window.icebox.peers.values()]"}
}

// TestRoomFirefox: Firefox and Chromium, who may use the relay alone, see each other.
func TestRoomFirefox(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/r/kitchen?via=relay#" + w.invite("kitchen")
	alice := firefox(t, w.home(usual).Host("alice"), path)
	bob := visit(t, w.home(usual).Host("bob"), path)
	for i, all := range together(t, alice, bob) {
		if c := all[0]; c.Local.CandidateType != "relay" || c.Remote.CandidateType != "relay" {
			t.Errorf("the way of %d is %v, want it from relay to relay", i, c)
		}
	}
	alice.tiles(1)
	bob.tiles(1)
}

package batch

import "testing"

// TestBundle: what is sent in a bundle comes as it was, in its order, and is counted.
func TestBundle(t *testing.T) {
	for name, sizes := range mixtures {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1, true)
			peer, tally := r.openPeer(t), &passOn{rig: r}
			b := r.engine.NewBundle()
			for range 2 {
				for i, size := range sizes {
					b.ToPeer(r.relay, packet(i, size), r.peer, tally)
				}
				b.Flush()
				wantPackets(t, peer, sizes)
			}
			if sent, lost := r.sent[Up].Load(), r.lost[Up].Load(); sent != int64(2*len(sizes)) || lost != 0 {
				t.Errorf("%d are counted as sent and %d as lost, want %d and none", sent, lost, 2*len(sizes))
			}
		})
	}
}

// TestBundleOfClosed: what waits for a relay that is closed is lost, and counted, before
// its worker has closed the socket and after.
func TestBundleOfClosed(t *testing.T) {
	r := newRig(t, 1, true)
	r.openPeer(t)
	b, tally := r.engine.NewBundle(), &passOn{rig: r}
	lose := func(want int64) {
		t.Helper()
		for range 3 {
			b.ToPeer(r.relay, packet(0, 100), r.peer, tally)
		}
		b.Flush()
		if sent, lost := r.sent[Up].Load(), r.lost[Up].Load(); sent != 0 || lost != want {
			t.Errorf("%d are counted as sent and %d as lost, want %d", sent, lost, want)
		}
	}
	r.relay.Close()
	lose(3)
	r.engine.Start()
	<-r.closed
	lose(6)
}

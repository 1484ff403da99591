//go:build linux

package conformance

import (
	"syscall"
	"testing"
	"time"
)

// TestDrain: from SIGTERM on nobody begins, who is there goes on, and the box
// ends with the last session or when turn.drain has passed.
func TestDrain(t *testing.T) {
	w := newWorld(t)
	t.Run("until the last ends", func(t *testing.T) {
		s := &scene{world: w, box: start(t, w.box, setup{allow: peerRanges}), transport: udp}
		mine, relay, p := s.relayed(t)
		stream, streamRelay, q := s.over(tcp).relayed(t)
		late := s.login(t)
		s.box.terminate(t)
		late.awaitDraining()
		s.over(tcp).login(t).awaitDraining() // a new stream is still answered
		mine.must(refresh, lifetime(1200))
		stream.must(refresh, lifetime(1200))
		mine.wantRelayed(relay, p)
		stream.wantRelayed(streamRelay, q)
		other := s.stranger(t)
		mine.must(channelBind, channelNumber(0x4000), peerAddress(other.addr))
		mine.wantBound(relay, other, 0x4000)
		stream.close()
		mine.wantBound(relay, other, 0x4000)
		if !s.box.running() {
			t.Fatal("it has ended under a live session")
		}
		mine.must(refresh, lifetime(0))
		mine.nonce, stream.nonce = "", ""
		s.box.wantEnd(t, 2*time.Second)
	})
	t.Run("until turn.drain has passed", func(t *testing.T) {
		const drain = 3 * time.Second
		s := &scene{world: w, box: start(t, w.box, setup{index: 1, allow: peerRanges, drain: drain.String()}), transport: udp}
		mine, relay, p := s.relayed(t)
		s.box.terminate(t)
		began := time.Now()
		s.login(t).awaitDraining()
		for time.Since(began) < drain-500*time.Millisecond {
			mine.wantRelayed(relay, p)
		}
		s.box.wantEnd(t, 2*time.Second)
		if took := time.Since(began); took < drain-100*time.Millisecond {
			t.Errorf("it ended after %v with a live session, turn.drain is %v", took, drain)
		}
		mine.nonce = ""
	})
}

// terminate asks the box to end, as a service manager does.
func (b *box) terminate(t testing.TB) {
	t.Helper()
	b.ending = true
	if err := b.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// wantEnd: the box ends by itself within that time, and says that all is well.
func (b *box) wantEnd(t testing.TB, within time.Duration) {
	t.Helper()
	select {
	case <-b.ended:
		if code := b.process.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit code %d, want 0", code)
		}
	case <-time.After(within):
		t.Errorf("the box runs on %v after it should have ended", within)
	}
}

// awaitDraining: a new Allocate is refused with 508 before long. What begins
// until then ends at once.
func (c *client) awaitDraining() {
	c.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		a := c.call(allocate, transportUDP())
		if a.class != success || time.Now().After(deadline) {
			c.wantRefused(a, 508)
			c.nonce = "" // nothing of it is left to be released
			return
		}
		c.must(refresh, lifetime(0))
	}
}

//go:build linux

package conformance

import (
	"testing"
	"time"
)

// TestGuesses: ten passwords of one address are looked at, and from then on one
// a second, in whichever request they come.
func TestGuesses(t *testing.T) {
	w := newWorld(t)
	s := &scene{world: w, box: start(t, w.box, setup{allow: peerRanges}), transport: udp}
	for name, method := range methods() {
		t.Run(name, func(t *testing.T) {
			c := s.dialFresh(t).login()
			c.user.password = "guess"
			began, answered := time.Now(), 0
			for range 30 {
				m := method(c.signed())
				c.write(m.raw)
				if c.answerTo(m.id, quiet/10) != nil {
					answered++
				}
			}
			c.nonce = "" // nothing is to be released
			if most := 11 + int(time.Since(began).Seconds()); answered < 10 || answered > most {
				t.Errorf("%d of 30 guesses were answered, want 10 to %d", answered, most)
			}
		})
	}
}

// TestStrangersFrame: who has not authenticated can't make the box hold a large
// frame, whatever length he announces.
func TestStrangersFrame(t *testing.T) {
	w := newWorld(t)
	s := &scene{world: w, box: start(t, w.box, setup{allow: peerRanges}), transport: tcp}
	whole := build(binding, request, attr(attrUnknownOptional, noise(8000)...)).raw
	stranger := s.dial(t)
	stranger.write(whole[:20])
	if !stranger.ended(patience) {
		t.Errorf("a stranger may send a frame of %d bytes", len(whole))
	}
	c, _ := s.allocated(t)
	c.write(whole)
	c.alive()
}

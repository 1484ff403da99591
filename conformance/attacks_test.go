//go:build linux

package conformance

import (
	"fmt"
	"sync"
	"testing"
)

// attack is something that ends or stalls servers out there. Each has a box of
// its own, which must be as before when it is over.
type attack struct {
	name   string
	limits string // of the box; empty: high
	run    func(*testing.T, *scene)
}

const asShipped = "permissions: 64" // which is the default, like all the others

// attacks begin with those that take longest, since a few run side by side.
var attacks = []attack{
	{"one byte a second, half a frame", asShipped, attackSlowness},
	{"two thousand silent connections", asShipped, attackSilence},
	{"attributes of every length", high, attackAttributes},
	{"frames with the largest lengths", high, attackFrames},
	{"permissions at the moment of expiry", high, attackExpiry},
	{"sessions ended in the midst of requests", high, attackEnds},
	{"streams closed abruptly", high, attackAbruptEnds},
	{"a flood of malformed datagrams", high, attackFlood},
	{"passwords guessed", asShipped, attackGuesses},
}

func TestAttacks(t *testing.T) {
	w := newWorld(t)
	var wait sync.WaitGroup
	slots := make(chan struct{}, 4)
	for i, a := range attacks {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			t.Run(a.name, func(t *testing.T) {
				b := start(t, w.box, setup{index: i, allow: peerRanges, limits: a.limits,
					relay: fmt.Sprintf("%d-%d", 40000+1000*i, 40999+1000*i)})
				before := b.vitals(t)
				t.Run("while it runs", func(t *testing.T) { a.run(t, &scene{world: w, box: b, transport: udp}) })
				b.wantUnhurt(t, w, before)
			})
		})
	}
	wait.Wait()
}

// over is the same scene with another transport.
func (s *scene) over(tr transport) *scene {
	other := *s
	other.transport = tr
	return &other
}

// attackGuesses tries passwords. Who tries is slowed down by address; the user
// whose password it is does not notice.
func attackGuesses(t *testing.T, s *scene) {
	mine, relay, p := s.relayed(t) // a session of the same user and address
	answered := 0
	for range 200 {
		c := s.dialFrom(t, clientAddress(0, false))
		if answered == 0 {
			c.login()
		}
		c.nonce, c.user.password = "", "guess"
		m := build(allocate, request, transportUDP())
		c.write(m.raw)
		a := c.answerTo(m.id, quiet/10)
		if a == nil {
			continue
		}
		c.nonce = string(a.value(attrNonce))
		m = build(allocate, request, transportUDP(), c.signed())
		c.nonce = ""
		c.write(m.raw)
		if c.answerTo(m.id, quiet/10) != nil {
			answered++
		}
	}
	if answered > 40 {
		t.Errorf("%d of 200 guesses were answered", answered)
	}
	mine.live()
	mine.wantRelayed(relay, p)
	if c := s.dialFresh(t).login(); c.call(allocate, transportUDP()).class != success {
		t.Error("the user is locked out elsewhere")
	}
}

package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"icebox/internal/boxtest"
	"icebox/natlab"
)

// TestRoomKilled: after kill -9 and a new start of the box a call through it
// comes back by itself.
func TestRoomKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	invite := w.invite("kitchen")
	alice := enter(t, w.home(symmetric).Host("alice"), "kitchen", invite)
	bob := enter(t, w.home(symmetric).Host("bob"), "kitchen", invite)
	together(t, alice, bob)
	before := alice.id()
	w.box.Kill()
	alice.until("it knows", `() => document.body.dataset.socket === 'closed'`)
	w.box.Start()
	start := time.Now()
	alice.until("it is back as somebody new", `before => window.icebox.room.open && window.icebox.room.id !== before`, before)
	alice.tiles(1)
	t.Logf("together again after %v", time.Since(start))
	together(t, alice, bob)
}

// TestRoomCut: a network that breaks the connection to the box for some seconds
// harms no call, and what is said meanwhile arrives.
func TestRoomCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	invite := w.invite("kitchen")
	home := w.home(usual)
	alice := enter(t, home.Host("alice"), "kitchen", invite)
	bob := enter(t, w.home(usual).Host("bob"), "kitchen", invite)
	before := together(t, alice, bob)
	id := alice.id()

	nft(t, home, `table ip cut { chain f { type filter hook forward priority -10; tcp dport 3002 reject with tcp reset; }; }`)
	alice.click("mute") // which tells the others, and so finds out
	alice.until("it has lost the box", `() => document.body.dataset.socket === 'closed'`)
	during := together(t, alice, bob)
	nft(t, home, `delete table ip cut`)
	alice.until("it is back", `() => document.body.dataset.socket === 'open'`)
	bob.until("it knows that alice is mute", `() => document.querySelector('[data-peer]').dataset.audio === 'false'`)
	after := together(t, alice, bob)
	if now := alice.id(); now != id {
		t.Errorf("alice was %s and is %s", id, now)
	}
	for _, all := range [][][]connection{before, during, after} {
		if all[1][0].Frames < before[1][0].Frames {
			t.Errorf("bob has another connection than before: %v, then %v", before[1], all[1])
		}
	}
}

// TestRoomWithoutUDP: a network that stops letting UDP through in the middle of a
// call makes it go on over TCP.
func TestRoomWithoutUDP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	invite := w.invite("kitchen")
	home := w.home(usual)
	alice := enter(t, home.Host("alice"), "kitchen", invite)
	bob := enter(t, w.home(usual).Host("bob"), "kitchen", invite)
	together(t, alice, bob)
	home.BlockUDP()
	all := together(t, alice, bob)
	if local := all[0][0].Local; local.RelayProtocol != "tcp" {
		t.Errorf("alice goes out by %v, want a relay by tcp", local)
	}
}

// TestRoomDark: after half a minute in which nothing gets through, without a
// word to anybody, it goes on by itself, and all are who they were.
func TestRoomDark(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	invite := w.invite("kitchen")
	home := w.home(usual)
	alice := enter(t, home.Host("alice"), "kitchen", invite)
	bob := enter(t, w.home(usual).Host("bob"), "kitchen", invite)
	together(t, alice, bob)
	id := alice.id()
	alice.until("its call is a minute old", `() => {
		const now = performance.now.bind(performance)
		performance.now = () => now() + 60_000
		return true
	}`)
	home.OnlyTCP(9) // where nothing is
	alice.until("it looks for a way, and does not say yet that there is none", `() => document.body.dataset.state === 'calling'`)
	alice.until("it has noticed", `() => document.body.dataset.socket === 'closed'`)
	alice.until("it says that there is no way", `() => document.body.dataset.state === 'failed'`)
	// The browser takes half a minute to say that the connection has failed, a whole one, or does not
	// while it looks for a new way, and the box waits 90 s for who is silent.
	state := alice.waitFor(3*moment/2, `() => document.querySelector('[data-peer]').dataset.state`, "failed")
	if t.Logf("the connection is %s", state); state == "connected" {
		t.Fatal("it is not dark")
	}
	home.Unblock()
	start := time.Now()
	alice.tiles(1)
	t.Logf("together again after %v", time.Since(start))
	together(t, alice, bob)
	if now := alice.id(); now != id {
		t.Errorf("alice was %s and is %s", id, now)
	}
}

// TestRoomGlare: both ends look for a new way at one moment, by offers that meet.
func TestRoomGlare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	invite := w.invite("kitchen")
	alice := enter(t, w.home(usual).Host("alice"), "kitchen", invite)
	bob := enter(t, w.home(usual).Host("bob"), "kitchen", invite)
	together(t, alice, bob)
	const credentials = `() => [...window.icebox.peers.values()][0].localDescription.sdp.match(/ice-ufrag:(.*)/)[1]`
	for range 3 {
		var before, now string
		if err := alice.evaluate(&before, credentials); err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		for _, v := range []*visitor{alice, bob} {
			both.Go(func() {
				var done bool
				if err := v.evaluate(&done, `() => { [...window.icebox.peers.values()][0].restartIce(); return true }`); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		boxtest.Eventually(t, moment, "alice has other credentials", func() error {
			if err := alice.evaluate(&now, credentials); err != nil || now == before {
				return fmt.Errorf("%q as before, %v", now, err)
			}
			return nil
		})
		together(t, alice, bob)
	}
}

// id is who the page is in its room.
func (v *visitor) id() (id string) {
	v.t.Helper()
	if err := v.evaluate(&id, `() => window.icebox.room.id`); err != nil {
		v.t.Fatal(err)
	}
	return id
}

// nft carries out commands of nft in a router.
func nft(t *testing.T, router *natlab.Router, commands string) {
	t.Helper()
	cmd := router.Command(t.Context(), "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(commands)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nft: %v\n%s", err, out)
	}
}

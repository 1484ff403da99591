package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"icebox/internal/boxtest"
	"icebox/natlab"
)

// invite is the invite into room that the box gives its user.
func (w *world) invite(room string) string {
	w.t.Helper()
	body, _ := json.Marshal(map[string]string{"room": room})
	r, err := http.NewRequest(http.MethodPost, "https://127.0.0.1:3002/api/rooms", bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.SetBasicAuth(user, password)
	answer, err := boxtest.HTTPS(w.box.Host).Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	var made struct{ Invite, Error string }
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil || made.Invite == "" {
		w.t.Fatalf("no invite: %v %s", err, made.Error)
	}
	return made.Invite
}

// enter opens the page of a room by its link.
func enter(t *testing.T, host *natlab.Host, room, invite string) *visitor {
	t.Helper()
	v := visit(t, host, "/r/"+room+"#"+invite)
	v.until("it is in the room", `() => document.body.dataset.socket === 'open'`)
	v.until("its camera is on", `() => document.getElementById('local').srcObject !== null`)
	return v
}

// together waits until each of them decodes video from all the others, and goes
// on to do so for some seconds.
func together(t *testing.T, visitors ...*visitor) [][]connection {
	t.Helper()
	before := make([][]connection, len(visitors))
	seconds := 0
	for deadline := time.Now().Add(atMost); ; time.Sleep(time.Second) {
		now, stalled := lookAtAll(visitors, before)
		if seconds++; stalled != "" {
			seconds = 0
		}
		if seconds > goesOn { // the first look had nothing to compare with
			for i, v := range visitors {
				t.Logf("%s: %v", v.name, now[i])
			}
			return now
		}
		if time.Now().After(deadline) {
			t.Fatalf("no moving video: %s", stalled)
		}
		before = now
	}
}

// lookAtAll reads the connections of everybody to everybody else, and says of
// whom nothing new was decoded on one of them.
func lookAtAll(visitors []*visitor, before [][]connection) (now [][]connection, stalled string) {
	now = make([][]connection, len(visitors))
	for i, v := range visitors {
		all, err := v.statistics()
		now[i] = all
		moved := err == nil && len(all) == len(visitors)-1 && len(before[i]) == len(all)
		for j := range all {
			moved = moved && all[j].Video && all[j].Frames > before[i][j].Frames
		}
		if !moved {
			stalled += fmt.Sprintf("\n%s: %v (%v)\n%s", v.name, all, err, v.state())
		}
	}
	return now, stalled
}

// tiles waits until the page shows n others, each with a picture and with how its
// connection travels.
func (v *visitor) tiles(n int) {
	v.t.Helper()
	v.until(fmt.Sprintf("it shows %d others", n), `n => {
		const tiles = [...document.querySelectorAll('[data-peer]')]
		return tiles.length === n && tiles.every(tile =>
			tile.dataset.state === 'connected' && tile.dataset.path && tile.querySelector('video').videoWidth > 0)
	}`, n)
}

// TestRoom: two meet in a room, a third comes, one leaves.
func TestRoom(t *testing.T) {
	w := newWorld(t)
	invite := w.invite("kitchen")
	alice := enter(t, w.home(usual).Host("alice"), "kitchen", invite)
	bob := enter(t, w.home(symmetric).Host("bob"), "kitchen", invite)
	together(t, alice, bob)
	carol := enter(t, w.home(symmetric).Host("carol"), "kitchen", invite)
	all := together(t, alice, bob, carol)
	if !all[2][0].relayed() && !all[2][1].relayed() {
		t.Errorf("two symmetric routers, and no relay: %v", all[2])
	}
	for _, v := range []*visitor{alice, bob, carol} {
		v.tiles(2)
	}
	bob.click("leave")
	bob.until("it has left", `() => document.querySelector('[data-key="status.gone"]') !== null`)
	alice.tiles(1)
	carol.tiles(1)
	together(t, alice, carol)
	carol.leave()
	alice.tiles(0)
}

// TestRoomOfTheLandingPage: a user makes a room in the page, and enters it.
func TestRoomOfTheLandingPage(t *testing.T) {
	w := newWorld(t)
	v := visit(t, w.home(usual).Host("alice"), "/")
	v.fill("room", "attic")
	v.fill("user", user)
	v.fill("password", "wrong")
	v.click("create")
	v.until("it says that the password is wrong", `() => !document.getElementById('make_problem').hidden`)
	v.until("it takes another", `p => { document.getElementById('password').value = p; return true }`, password)
	v.click("create")
	v.until("it shows the link", `() => document.getElementById('link').value.includes('/r/attic#')`)
	v.click("enter")
	v.until("it is in the room", `() => location.pathname === '/r/attic' && document.body.dataset.state === 'ready'`)
}

// TestRoomOpenBehindAPath: where everybody may enter, a name is all it takes; and
// the pages work below a path.
func TestRoomOpenBehindAPath(t *testing.T) {
	address := "ipv4: " + boxPublic
	w := newWorldOf(t, strings.Replace(configuration, address, address+`, url: "https://`+boxName+`:3002/call"`, 1)+
		"signaling: {access: open}\n")
	alice := visit(t, w.home(usual).Host("alice"), "/call/")
	alice.fill("room", "den")
	alice.click("create")
	alice.until("it is in the room", `() => location.pathname === '/call/r/den' && document.body.dataset.state === 'ready'`)
	bob := enter(t, w.home(usual).Host("bob"), "den", "")
	together(t, alice, bob)
}

// TestRoomInvites: a page says what is wrong with its invite, and leaves the
// camera off.
func TestRoomInvites(t *testing.T) {
	w := newWorld(t)
	invite := w.invite("kitchen")
	v := visit(t, w.home(usual).Host("alice"), "/r/kitchen")
	for _, c := range []struct{ path, key string }{
		{"/r/kitchen", "room.invite.missing"},
		{"/r/attic#" + invite, "room.invite.foreign"},
		{"/r/kitchen?cut#" + invite[:len(invite)-3], "room.invite.invalid"},
	} {
		if err := v.page.Navigate("https://" + boxName + ":3002" + c.path); err != nil {
			t.Fatal(err)
		}
		v.until("it says "+c.key, `key => document.querySelector('#problems [data-key="' + key + '"]') !== null`, c.key)
		v.until("the camera is off", `() => document.getElementById('local').srcObject === null`)
	}
}

// TestRoomScreen: a screen takes the place of the camera, and the camera that of
// the screen.
func TestRoomScreen(t *testing.T) {
	w := newWorld(t)
	invite := w.invite("kitchen")
	alice := enter(t, w.home(usual).Host("alice"), "kitchen", invite)
	bob := enter(t, w.home(usual).Host("bob"), "kitchen", invite)
	together(t, alice, bob)
	for _, shared := range []string{"true", "false"} {
		alice.click("screen")
		bob.until("it knows whether that is a screen: "+shared, `shared => document.querySelector('[data-peer]').dataset.screen === shared`, shared)
		together(t, alice, bob)
	}
}

// TestRoomKilled: after kill -9 and a new start of the box a call through it
// comes back by itself.
func TestRoomKilled(t *testing.T) {
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
	w := newWorld(t)
	invite := w.invite("kitchen")
	home := w.home(usual)
	alice := enter(t, home.Host("alice"), "kitchen", invite)
	bob := enter(t, w.home(usual).Host("bob"), "kitchen", invite)
	together(t, alice, bob)
	id := alice.id()
	home.OnlyTCP(9) // where nothing is
	alice.until("it has noticed", `() => document.body.dataset.socket === 'closed'`)
	alice.until("the connection has failed", `() => document.querySelector('[data-peer]').dataset.state === 'failed'`)
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

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
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
	bob.until("it has left", `() => document.querySelector('[data-key="room.left"]') !== null`)
	alice.tiles(1)
	carol.tiles(1)
	together(t, alice, carol)
}

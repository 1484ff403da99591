package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
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
// on to do so for goesOnInRoom seconds.
func together(t *testing.T, visitors ...*visitor) [][]connection {
	t.Helper()
	before := make([][]connection, len(visitors))
	seconds := 0
	for deadline := time.Now().Add(atMost); ; time.Sleep(time.Second) {
		now, stalled := lookAtAll(visitors, before)
		if seconds++; stalled != "" {
			seconds = 0
		}
		if seconds > goesOnInRoom { // the first look had nothing to compare with
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
	t.Parallel()
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
	t.Parallel()
	w := newWorld(t)
	v := visit(t, w.home(usual).Host("alice"), "/")
	v.fill("room", "attic")
	v.fill("user", user)
	v.fill("password", "wrong")
	v.until("one answer is an error", `() => {
		const { fetch } = window
		window.fetch = async () => {
			window.fetch = fetch
			return new Response('', { status: 500 })
		}
		return true
	}`)
	v.click("create")
	v.until("it says that no room was made", `() => document.getElementById('make_problem').textContent.endsWith('No room was made.')`)
	v.click("create")
	v.until("it says that the password is wrong", `() => document.getElementById('make_problem').textContent.includes('password is wrong')`)
	v.until("it takes another", `p => { document.getElementById('password').value = p; return true }`, password)
	v.click("create")
	v.until("it shows the link", `() => document.getElementById('link').value.includes('/r/attic#')`)
	v.until("there is no clipboard", `() => {
		navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))
		document.execCommand = () => false
		return true
	}`)
	v.click("copy")
	v.until("it does not say that the link was copied", `() => document.getElementById('copy').textContent.startsWith('Not copied')`)
	v.click("enter")
	v.until("it is in the room", `() => location.pathname === '/r/attic' && document.body.dataset.state === 'ready'`)
}

// TestRoomOpenBehindAPath: where everybody may enter, a name is all it takes; and
// the pages work below a path.
func TestRoomOpenBehindAPath(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
	w := newWorld(t)
	invite := w.invite("kitchen")
	v := visit(t, w.home(usual).Host("alice"), "/r/kitchen")
	for _, c := range []struct{ path, key string }{
		{"/r/kitchen", "room.invite.missing"},
		{"/r/attic#" + invite, "room.invite.foreign"},
		{"/r/kitchen?cut#" + invite[:len(invite)-3], "room.invite.invalid"},
	} {
		v.open(c.path)
		v.until("it says "+c.key, `key => document.querySelector('#problems [data-key="' + key + '"]') !== null`, c.key)
		v.until("the camera is off", `() => document.getElementById('local').srcObject === null`)
	}
}

// TestRoomWatching: who gives neither camera nor microphone sees the others.
func TestRoomWatching(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	invite := w.invite("kitchen")
	bob := browse(t, w.home(usual).Host("bob"), "https://"+boxName+":3002/r/kitchen#"+invite, "--use-fake-ui-for-media-stream=deny")
	bob.until("it says that the camera was refused", `() => document.querySelector('#problems [data-key="problem.denied"]') !== null`)
	alice := enter(t, w.home(usual).Host("alice"), "kitchen", invite)
	moving(t, bob)
	bob.until("it says that it only watches", `() => document.getElementById('status').dataset.key === 'room.watching'`)
	alice.until("it knows that bob sends nothing", `() => {
		const { state, audio, video } = document.querySelector('[data-peer]').dataset
		return state === 'connected' && audio === 'false' && video === 'false'
	}`)
	alice.until("it says in words that bob is muted", `() => {
		const label = document.querySelector('[data-peer] video').getAttribute('aria-label')
		return label.endsWith(', muted') && document.getElementById('people').lastElementChild.textContent === label
	}`)
}

// TestRoomMicrophone: who has a microphone and no camera is heard.
func TestRoomMicrophone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	invite := w.invite("kitchen")
	browse(t, w.home(usual).Host("bob"), "https://"+boxName+":3002/r/kitchen#"+invite, "--use-fake-device-for-media-stream=device-count=0")
	alice := enter(t, w.home(usual).Host("alice"), "kitchen", invite)
	alice.until("she hears bob", `() => {
		const tile = document.querySelector('[data-peer][data-audio="true"][data-video="false"]')
		return tile !== null && tile.querySelector('video').currentTime > 1
	}`)
}

// TestRoomScreen: a screen takes the place of the camera, and the camera that of
// the screen.
func TestRoomScreen(t *testing.T) {
	t.Parallel()
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

// TestClientModuleElsewhere: a page of another origin imports the client module,
// which finds the box by its own address, and meets one of ours.
func TestClientModuleElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	invite := w.invite("kitchen")
	alice := enter(t, w.home(usual).Host("alice"), "kitchen", invite)
	other := browse(t, w.home(usual).Host("bob"), "data:text/html,<title>elsewhere</title>")
	var peers int
	err := other.evaluate(&peers, `async (url, invite) => {
		const { Room, Call } = await import(url)
		const room = new Room('kitchen', { invite })
		window.icebox = { peers: new Map() }
		new Call(room).on('peer', ({ id, pc }) => window.icebox.peers.set(id, pc))
		return new Promise((resolve, reject) => {
			room.on('welcome', ({ peers }) => resolve(peers.length))
			room.on('closed', ({ reason }) => reject(new Error(reason)))
			room.connect()
		})
	}`, "https://"+boxName+":3002/client.js", invite)
	if err != nil || peers != 1 {
		t.Fatalf("%d peers: %v", peers, err)
	}
	moving(t, other)
	alice.until("it sees a peer", `() => document.querySelector('[data-peer][data-state="connected"]') !== null`)
}

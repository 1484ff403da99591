package e2e

import (
	"fmt"
	"testing"

	"icebox/internal/boxtest"
	"icebox/natlab"
)

// caller opens the two-way page in a room.
func caller(t *testing.T, host *natlab.Host, room string) *visitor {
	t.Helper()
	v := visit(t, host, "/1cs1cs#"+room)
	v.signIn()
	return v
}

// call lets the first of two that are in a room call the other, and gives their
// connections.
func call(t *testing.T, from, to *visitor) (fromSide, toSide connection) {
	t.Helper()
	from.until("it sees the other", `() => document.body.dataset.others === '1'`)
	from.click("call_H")
	both := moving(t, from, to)
	return both[0], both[1]
}

// says waits until the page tells its user this path.
func (v *visitor) says(path string) {
	v.t.Helper()
	v.until("it says how the call travels", `path => document.body.dataset.state === 'connected' && document.body.dataset.path === path`, path)
}

// Test1cs1csDirect: two usual routers let the callers through to each other.
func Test1cs1csDirect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := caller(t, w.home(usual).Host("alice"), "direct")
	bob := caller(t, w.home(usual).Host("bob"), "direct")
	call(t, alice, bob)
	// It may begin on the relay, and must not stay there.
	boxtest.Eventually(t, moment, "the call is direct", func() error {
		now, stalled := look([]*visitor{alice, bob}, make([]connection, 2))
		if stalled != "" || now[0].relayed() || now[1].relayed() {
			return fmt.Errorf("a relay is in use: %v%s", now, stalled)
		}
		return nil
	})
}

// Test1cs1csRelayed: two symmetric routers do not.
func Test1cs1csRelayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := caller(t, w.home(symmetric).Host("alice"), "relayed")
	bob := caller(t, w.home(symmetric).Host("bob"), "relayed")
	a, b := call(t, alice, bob)
	if !a.relayed() || !b.relayed() {
		t.Errorf("no relay is in use: %v; %v", a, b)
	}
	alice.says("relay")
	bob.says("relay")
}

// Test1cs1csWithoutUDP: a network that lets TCP out only reaches the relay by
// TCP.
func Test1cs1csWithoutUDP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office := w.home(usual)
	office.BlockUDP()
	alice := caller(t, office.Host("alice"), "tcp")
	bob := caller(t, w.home(usual).Host("bob"), "tcp")
	a, _ := call(t, alice, bob)
	if a.Local.CandidateType != "relay" || a.Local.RelayProtocol != "tcp" {
		t.Errorf("alice goes out by %+v, want a relay by tcp", a.Local)
	}
	alice.says("relay")
	alice.until("it says TCP", `() => document.body.dataset.protocol === 'tcp'`)
}

// Test1cs1csWithoutRelayPorts: with nothing but 3478 and 3002 forwarded, two that
// need the relay reach each other from one relay address to the other, within
// the box.
func Test1cs1csWithoutRelayPorts(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	alice := caller(t, w.home(symmetric).Host("alice"), "narrow")
	bob := caller(t, w.home(symmetric).Host("bob"), "narrow")
	a, b := call(t, alice, bob)
	for _, end := range []candidate{a.Local, a.Remote, b.Local, b.Remote} {
		if end.CandidateType != "relay" {
			t.Errorf("an end that is no relay: %v; %v", a, b)
		}
	}
}

// Test1cs1csWithoutRelayPortsOrUDP: the same where one of the two gets no UDP out
// and reaches its relay by TCP.
func Test1cs1csWithoutRelayPortsOrUDP(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	office := w.home(symmetric)
	office.BlockUDP()
	alice := caller(t, office.Host("alice"), "narrower")
	bob := caller(t, w.home(symmetric).Host("bob"), "narrower")
	a, b := call(t, alice, bob)
	for _, end := range []candidate{a.Local, a.Remote, b.Local, b.Remote} {
		if end.CandidateType != "relay" {
			t.Errorf("an end that is no relay: %v; %v", a, b)
		}
	}
	if a.Local.RelayProtocol != "tcp" || b.Local.RelayProtocol != "udp" {
		t.Errorf("alice goes out to a %v, want tcp; bob to a %v, want udp", a.Local, b.Local)
	}
	alice.says("relay")
	bob.says("relay")
}

// Test1cs1csWithoutTURN: where 3478 is not forwarded, two that need the relay are
// told that.
func Test1cs1csWithoutTURN(t *testing.T) {
	t.Parallel()
	w := newWebWorldOf(t, configuration)
	alice := caller(t, w.home(symmetric).Host("alice"), "web")
	bob := caller(t, w.home(symmetric).Host("bob"), "web")
	alice.until("it sees the other", `() => document.body.dataset.others === '1'`)
	alice.click("call_H")
	for _, v := range []*visitor{alice, bob} {
		v.until("it says that there is no relay", `() => {
			const status = document.getElementById('status')
			return status.dataset.key === 'status.failed.relay' && status.textContent.includes('3478')
		}`)
	}
}

// Test1c1s: one sends its camera, one watches.
func Test1c1s(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sender := visit(t, w.home(usual).Host("sender"), "/1c1s?role=send#camera")
	sender.signIn()
	watcher := visit(t, w.home(symmetric).Host("watcher"), "/1c1s?role=watch#camera")
	watcher.signIn()
	moving(t, watcher)
}

// TestNc1s: one shares its screen, three watch. Then one of them leaves.
func TestNc1s(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sender := visit(t, w.home(usual).Host("sender"), "/nc1s?role=send#screen")
	sender.click("send_H")
	sender.signIn()
	var watchers []*visitor
	for i := range 3 {
		v := visit(t, w.home(usual).Host(fmt.Sprintf("watcher %d", i)), "/nc1s?role=watch#screen")
		v.signIn()
		watchers = append(watchers, v)
	}
	moving(t, watchers...)
	watchers[0].leave()
	sender.until("it knows that one has left", `() => document.body.dataset.others === '2' && window.icebox.peers.size === 2`)
	moving(t, watchers[1:]...)
}

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/proto"

	"icebox/e2e/browser"
	"icebox/natlab"
)

// moment is how long one step in a page may take.
const moment = 20 * time.Second

// visitor is a browser somewhere with one page open.
type visitor struct {
	t    *testing.T
	name string
	page *rod.Page
	// connections is an expression in the page: its RTCPeerConnections.
	connections string
}

// browse opens a page in a browser of its own. The browser knows the name of the
// box, since a lab has no DNS.
func browse(t *testing.T, host *natlab.Host, url string, flags ...string) *visitor {
	t.Helper()
	flags = append(flags, "--host-resolver-rules=MAP "+boxName+"* "+boxPublic)
	b := browser.Start(t, host.Command, flags...)
	return &visitor{
		t: t, name: host.Name(), page: b.Open(url),
		connections: "[...window.icebox.peers.values()]",
	}
}

// visit opens a page of the box, with the user's password where it asks for one.
func visit(t *testing.T, host *natlab.Host, path string) *visitor {
	t.Helper()
	return browse(t, host, "https://"+boxName+":3002"+path)
}

// signIn fills in the form that asks for a user.
func (v *visitor) signIn() {
	v.t.Helper()
	v.until("it asks for the user", `() => !document.getElementById('login').hidden`)
	v.fill("user", user)
	v.fill("password", password)
	v.click("signin")
	v.until("it is in the room", `() => document.body.dataset.socket === 'open'`)
}

// evaluate calls a JavaScript function in the page and decodes what it returns.
func (v *visitor) evaluate(result any, function string, args ...any) error {
	page := v.page.Timeout(moment)
	defer page.CancelTimeout()
	object, err := page.Eval(function, args...)
	if err != nil {
		return err
	}
	text, err := object.Value.MarshalJSON()
	if err != nil {
		return err
	}
	return json.Unmarshal(text, result)
}

// until waits until a JavaScript function in the page gives true.
func (v *visitor) until(what, function string, args ...any) {
	v.t.Helper()
	eventually(v.t, 2*moment, v.name+": "+what, func() error {
		var yes bool
		if err := v.evaluate(&yes, function, args...); err != nil {
			return err
		}
		if !yes {
			return errors.New("it is not so: " + v.state())
		}
		return nil
	})
}

// state is what the page says about itself, for messages of tests.
func (v *visitor) state() string {
	var state string
	if err := v.evaluate(&state, `() => JSON.stringify(document.body.dataset) + ' ' + document.body.innerText.slice(0, 300)`); err != nil {
		return err.Error()
	}
	return state
}

// click presses the element with this id as a person would.
func (v *visitor) click(id string) {
	v.t.Helper()
	v.on(id, func(e *rod.Element) error { return e.Click(proto.InputMouseButtonLeft, 1) })
}

func (v *visitor) fill(id, text string) {
	v.t.Helper()
	v.on(id, func(e *rod.Element) error { return e.Input(text) })
}

func (v *visitor) on(id string, do func(*rod.Element) error) {
	v.t.Helper()
	page := v.page.Timeout(moment)
	defer page.CancelTimeout()
	element, err := page.Element("#" + id)
	if err == nil {
		err = do(element)
	}
	if err != nil {
		v.t.Fatalf("%s: #%s: %v\n%s", v.name, id, err, v.state())
	}
}

// leave closes the page.
func (v *visitor) leave() {
	v.t.Helper()
	if err := v.page.Close(); err != nil {
		v.t.Fatalf("%s: closing the page: %v", v.name, err)
	}
}

// connection is what getStats says about one RTCPeerConnection.
type connection struct {
	Frames int  // decoded so far
	Video  bool // some video comes in
	Local  candidate
	Remote candidate
}

// candidate is one end of the selected pair.
type candidate struct {
	CandidateType string
	Protocol      string
	RelayProtocol string // to the relay, of a local one
}

func (c candidate) String() string {
	return fmt.Sprintf("%s %s%s", c.CandidateType, c.Protocol, c.RelayProtocol)
}

// relayed tells whether one of the two ends is a relay.
func (c connection) relayed() bool {
	return c.Local.CandidateType == "relay" || c.Remote.CandidateType == "relay"
}

// statistics reads the connections that have a selected pair.
func (v *visitor) statistics() (all []connection, err error) {
	err = v.evaluate(&all, `async () => {
		const found = []
		for (const pc of `+v.connections+`) {
			if (!pc) continue
			const stats = await pc.getStats()
			const all = [...stats.values()]
			const transport = all.find(s => s.type === 'transport')
			const pair = transport && stats.get(transport.selectedCandidatePairId)
			if (!pair) continue
			const video = all.filter(s => s.type === 'inbound-rtp' && s.kind === 'video')
			found.push({
				Frames: video.reduce((sum, s) => sum + (s.framesDecoded ?? 0), 0),
				Video: video.length > 0,
				Local: stats.get(pair.localCandidateId),
				Remote: stats.get(pair.remoteCandidateId),
			})
		}
		return found
	}`)
	return all, err
}

// movingFor is how long video must go on, looked at once a second.
const movingFor = 5

// moves waits until video comes in on this many connections and goes on, on all
// of them, for five seconds in a row. It gives the connections.
func (v *visitor) moves(connections int) []connection {
	v.t.Helper()
	var before []connection
	rises := 0
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(time.Second) {
		now, err := v.statistics()
		if err == nil && rising(before, now, connections) {
			rises++
		} else {
			rises = 0
		}
		if rises == movingFor {
			v.t.Logf("%s: %+v", v.name, now)
			return now
		}
		if time.Now().After(deadline) {
			v.t.Fatalf("%s: no moving video on %d connections: %+v, %v\n%s", v.name, connections, now, err, v.state())
		}
		before = now
	}
}

// rising tells whether each connection has decoded more than before.
func rising(before, now []connection, connections int) bool {
	if len(now) != connections || len(before) != connections {
		return false
	}
	for i := range now {
		if !now[i].Video || now[i].Frames <= before[i].Frames {
			return false
		}
	}
	return true
}

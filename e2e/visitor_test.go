package e2e

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/proto"

	"icebox/e2e/browser"
	"icebox/internal/boxtest"
	"icebox/natlab"
)

// moment is how long one step in a page may take.
const moment = 20 * time.Second

// visitor is a browser somewhere with one page open.
type visitor struct {
	t    *testing.T
	name string
	page *rod.Page
	// firefox is there in place of page, for what needs evaluate alone.
	firefox *browser.Firefox
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

// open opens another page of the box.
func (v *visitor) open(path string) {
	v.t.Helper()
	if err := v.page.Navigate("https://" + boxName + ":3002" + path); err != nil {
		v.t.Fatal(err)
	}
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
	if v.firefox != nil {
		return v.firefox.Evaluate(result, function, args...)
	}
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
	boxtest.Eventually(v.t, 2*moment, v.name+": "+what, func() error {
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

// waitFor waits until a JavaScript function in the page gives a text, for so long at the
// most, and returns what it gave last.
func (v *visitor) waitFor(limit time.Duration, function, text string) (last string) {
	v.t.Helper()
	for deadline := time.Now().Add(limit); last != text && time.Now().Before(deadline); time.Sleep(time.Second) {
		if err := v.evaluate(&last, function); err != nil {
			v.t.Fatalf("%s: %v", v.name, err)
		}
	}
	return last
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

package e2e

import (
	"net"
	"net/http"
	"testing"

	"icebox/natlab"
)

// The pages in testdata/seed are the clients that this project began with, as
// their owner wrote them but for the host name. They speak on / of the box.

// sharesUnasked lets a page share the screen without a click, as browsers did
// when these pages were written.
const sharesUnasked = "--disable-features=GetDisplayMediaRequiresUserActivation"

// seed opens one of the pages, which come from the visitor's own host: browsers
// give the camera to localhost.
func seed(t *testing.T, host *natlab.Host, page, connections string) *visitor {
	t.Helper()
	l, err := host.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.FileServer(http.Dir("testdata/seed"))}
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(l)
	}()
	t.Cleanup(func() { server.Close(); <-served })
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	v := browse(t, host, "http://localhost:"+port+"/"+page+".html", sharesUnasked)
	v.connections = connections
	v.until("it is connected to the box", `() => signaling.readyState === WebSocket.OPEN`)
	return v
}

// TestSeed1c1s: one sends, one watches. The page knows no STUN server, so the
// two are in one house.
func TestSeed1c1s(t *testing.T) {
	t.Parallel()
	home := newWorld(t).home(usual)
	watcher := seed(t, home.Host("watcher"), "1c1s-watch", "[PC]")
	seed(t, home.Host("sender"), "1c1s-send", "[PC]")
	moving(t, watcher)
}

// TestSeedNc1s: one sends its screen to three. No STUN server here either.
func TestSeedNc1s(t *testing.T) {
	t.Parallel()
	home := newWorld(t).home(usual)
	sender := seed(t, home.Host("sender"), "nc1s-send", "Object.values(PC)")
	sender.until("it shares", `() => STREAM !== null`)
	var watchers []*visitor
	for _, name := range []string{"first", "second", "third"} {
		watchers = append(watchers, seed(t, home.Host(name), "nc1s-watch", "[PC]"))
	}
	moving(t, watchers...)
}

// TestSeed1cs1cs: two call each other over STUN and TURN of the box. Only the
// caller of a direction sends candidates, so the other must get through to it
// unasked.
func TestSeed1cs1cs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := seed(t, w.home(fullCone).Host("alice"), "1cs1cs", "[remote_PC]")
	bob := seed(t, w.home(fullCone).Host("bob"), "1cs1cs", "[remote_PC]")
	for _, v := range []*visitor{alice, bob} {
		v.until("it is ready to call", `() => document.getElementById('call_H').onclick !== null`)
	}
	alice.click("call_H")
	moving(t, bob)
	bob.click("call_H")
	moving(t, alice, bob)
}

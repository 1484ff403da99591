package web

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"icebox/config"
)

func TestRoutes(t *testing.T) {
	b := startBox(t, nil)
	for _, c := range []struct {
		method, path string
		status       int
		contentType  string
		body         string // contained
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", "<!doctype html>"},
		{"HEAD", "/", 200, "text/html; charset=utf-8", ""},
		{"GET", "/1c1s", 200, "text/html; charset=utf-8", `id="local_H"`},
		{"GET", "/nc1s?role=send", 200, "text/html; charset=utf-8", `id="send_H"`},
		{"GET", "/1cs1cs", 200, "text/html; charset=utf-8", `id="call_H"`},
		{"GET", "/healthz", 200, "text/plain; charset=utf-8", "ok\n"},
		{"HEAD", "/healthz", 200, "text/plain; charset=utf-8", ""},
		{"GET", "/r/kitchen", 200, "text/html; charset=utf-8", `id="leave"`},
		{"HEAD", "/r/" + strings.Repeat("a", 64), 200, "text/html; charset=utf-8", ""},
		{"GET", "/r/" + strings.Repeat("a", 65), 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/r/", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/r/a/", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/r/a.b", 404, "text/plain; charset=utf-8", "nothing"},
		{"POST", "/r/kitchen", 405, "text/plain; charset=utf-8", "GET"},
		{"GET", "/client.js", 200, "text/javascript; charset=utf-8", "export class Room"},
		{"POST", "/client.js", 405, "text/plain; charset=utf-8", "GET"},
		{"GET", "/room", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/open", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/assets/strings.js", 200, "text/javascript; charset=utf-8", "export"},
		{"GET", "/assets/style.css", 200, "text/css; charset=utf-8", "{"},
		{"GET", "/assets/icon.svg", 200, "image/svg+xml", "<svg"},
		{"GET", "/assets/", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/assets/../server.go", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/assets/%2e%2e/pages/home.html", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/pages/home.html", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/metrics", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/1c1s/", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/seed/a", 426, "text/plain; charset=utf-8", "WebSocket"},
		{"GET", "/seed/", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/seed/a/b", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/seed/a%20b", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/seed/" + strings.Repeat("a", 64), 426, "text/plain; charset=utf-8", "WebSocket"},
		{"GET", "/seed/" + strings.Repeat("a", 65), 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/ws/a", 426, "text/plain; charset=utf-8", "WebSocket"},
		{"GET", "/ws/", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/ws/a.b", 404, "text/plain; charset=utf-8", "nothing"},
		{"POST", "/ws/a", 405, "text/plain; charset=utf-8", "GET"},
		{"POST", "/", 405, "text/plain; charset=utf-8", "GET"},
		{"PUT", "/1cs1cs", 405, "text/plain; charset=utf-8", "GET"},
		{"DELETE", "/assets/style.css", 405, "text/plain; charset=utf-8", "GET"},
		{"POST", "/seed/a", 405, "text/plain; charset=utf-8", "GET"},
		{"POST", "/api/ice", 405, "application/json", `"error"`},
		{"POST", "/nowhere", 404, "text/plain; charset=utf-8", "nothing"},
	} {
		res, body := b.ask(c.method, c.path)
		if res.StatusCode != c.status || res.Header.Get("Content-Type") != c.contentType || !strings.Contains(body, c.body) {
			t.Errorf("%s %s: %d %q %.60q; want %d %q %q", c.method, c.path,
				res.StatusCode, res.Header.Get("Content-Type"), body, c.status, c.contentType, c.body)
		}
		if c.status == 405 && res.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s %s: Allow is %q", c.method, c.path, res.Header.Get("Allow"))
		}
		if res.Proto != "HTTP/1.1" {
			t.Errorf("%s %s: %s", c.method, c.path, res.Proto)
		}
	}
}

func TestNotFoundForPeople(t *testing.T) {
	b := startBox(t, nil)
	res, body := b.ask("GET", "/a/b", "Accept: text/html,*/*")
	if res.StatusCode != 404 || !strings.Contains(body, `"../assets/`+b.assets.version+`/style.css"`) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	w := httptest.NewRecorder()
	b.assets.serveNotFound(w, &http.Request{URL: &url.URL{Path: "*"}}) // as GET * has it
	if w.Code != 404 {
		t.Errorf("a path without a slash: %d", w.Code)
	}
}

func TestAssetsAreCached(t *testing.T) {
	b := startBox(t, nil)
	page, body := b.ask("GET", "/1cs1cs")
	if got := page.Header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("page: Cache-Control %q", got)
	}
	file := "/assets/" + b.assets.version + "/style.css"
	if !strings.Contains(body, `"`+file[1:]+`"`) {
		t.Errorf("page does not name %s", file)
	}
	res, _ := b.ask("GET", file)
	if got := res.Header.Get("Cache-Control"); res.StatusCode != 200 || !strings.Contains(got, "immutable") {
		t.Errorf("%s: %d, Cache-Control %q", file, res.StatusCode, got)
	}
	for path, etag := range map[string]string{"/1cs1cs": page.Header.Get("ETag"), "/assets/style.css": res.Header.Get("ETag")} {
		again, _ := b.ask("GET", path, "If-None-Match: "+etag)
		if etag == "" || again.StatusCode != http.StatusNotModified {
			t.Errorf("%s with ETag %q: %d", path, etag, again.StatusCode)
		}
	}
	if res, _ := b.ask("GET", "/assets/0123456789ab/style.css"); res.StatusCode != 404 {
		t.Errorf("another version: %d", res.StatusCode)
	}
}

// The page of a room stands one folder deeper than the others.
func TestRoomPageNamesItsFilesFromItsFolder(t *testing.T) {
	b := startBox(t, nil)
	_, body := b.ask("GET", "/r/kitchen")
	for _, part := range []string{`"../assets/` + b.assets.version + `/style.css"`, `href="./../"`} {
		if !strings.Contains(body, part) {
			t.Errorf("no %s in %s", part, body)
		}
	}
}

// The landing page asks for a user to make a room with, unless anybody may enter.
func TestLandingPageKnowsWhoMayEnter(t *testing.T) {
	b := startBox(t, nil)
	if _, body := b.ask("GET", "/"); strings.Count(body, " required>") != 2 {
		t.Errorf("access: invite: %s", body)
	}
	next := testConfig()
	next.Signaling.Access = "open"
	b.Update(next)
	if _, body := b.ask("GET", "/"); strings.Contains(body, " required>") {
		t.Errorf("access: open: %s", body)
	}
}

// Others may import the client module, and nothing else.
func TestClientModuleIsForOthersToo(t *testing.T) {
	b := startBox(t, nil)
	for path, want := range map[string][2]string{
		"/client.js":        {"*", "cross-origin"},
		"/assets/client.js": {"", "same-origin"},
		"/r/kitchen":        {"", "same-origin"},
	} {
		res, _ := b.ask("GET", path)
		got := [2]string{res.Header.Get("Access-Control-Allow-Origin"), res.Header.Get("Cross-Origin-Resource-Policy")}
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestUpgradesReachTheirRoom(t *testing.T) {
	b := startBox(t, nil)
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	join := func(path string) *websocket.Conn {
		c, _, err := dialer.Dial("wss://"+b.Addr().String()+path, nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		return c
	}
	rooms := map[string]string{"/": "", "/seed/a": "a", "/seed/b": "b", "/ws/a": "ws a"}
	for path, room := range rooms {
		one, two := join(path), join(path)
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
			relay := b.opt.Signaling.(*relay)
			relay.mu.Lock()
			n := len(relay.rooms[room])
			relay.mu.Unlock()
			if n == 2 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d sockets in its room", path, n)
			}
		}
		one.WriteMessage(websocket.TextMessage, []byte("to "+path))
		if _, text, err := two.ReadMessage(); err != nil || string(text) != "to "+path {
			t.Errorf("%s: %q, %v", path, text, err)
		}
	}
}

func TestPathOfPublicURL(t *testing.T) {
	b := startBox(t, func(cfg *config.Config, _ *Options) { cfg.Public.URL = "https://home.example:8443/call" })
	for _, path := range []string{"/call/1cs1cs", "/call/", "/1cs1cs", "/call/healthz", "/call/r/kitchen", "/call/client.js"} {
		if res, _ := b.ask("GET", path); res.StatusCode != 200 {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	if res, _ := b.ask("GET", "/call?a=b"); res.StatusCode != 307 || res.Header.Get("Location") != "./call/?a=b" {
		t.Errorf("/call: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	if res, _ := b.ask("POST", "/call"); res.StatusCode != 405 {
		t.Errorf("POST /call: %d", res.StatusCode)
	}
	if res, _ := b.ask("GET", "/calls"); res.StatusCode != 404 {
		t.Errorf("/calls: %d", res.StatusCode)
	}
	next := testConfig()
	b.Update(next)
	if res, _ := b.ask("GET", "/call/1cs1cs"); res.StatusCode != 404 {
		t.Errorf("after Update: %d", res.StatusCode)
	}
}

func TestPanicEndsOneRequest(t *testing.T) {
	b := startBox(t, func(_ *config.Config, opt *Options) { opt.Users = nil })
	r, _ := http.NewRequest("GET", "https://"+b.Addr().String()+"/api/ice", nil)
	r.SetBasicAuth("admin", "123456")
	if res, err := b.client().Do(r); err == nil {
		t.Errorf("a handler that panics answered %d", res.StatusCode)
	}
	if res, _ := b.ask("GET", "/healthz"); res.StatusCode != 200 {
		t.Errorf("afterwards: %d", res.StatusCode)
	}
}

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// TestBehindAProxy: plain http inside, a path prefix and TLS outside, and clients
// told apart by the header of the proxy.
func TestBehindAProxy(t *testing.T) {
	var inside *url.URL
	proxy := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client := r.Header.Get("X-Test-Client")
		(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(inside)
			p.Out.Host = p.In.Host
			p.Out.Header.Set("X-Forwarded-For", "203.0.113.9, "+client)
		}}).ServeHTTP(w, r)
	}))
	defer proxy.Close()
	text := strings.Replace(loopbackConfig, "signaling: {",
		"tls: {source: off}\npublic: {url: \""+proxy.URL+"/call\"}\n"+
			"signaling: {connections_per_address: 1, trusted_proxies: [127.0.0.0/8], ", 1)
	dir := configDir(t, text)
	p := serving(t, dir)
	listen := regexp.MustCompile(`"signaling":"([^"]+)"`).FindStringSubmatch(p.until(t, &p.stderr, `"signaling":"`))
	inside = &url.URL{Scheme: "http", Host: listen[1]}

	password := readText(t, dir, "state", "password-admin")
	r, _ := http.NewRequest(http.MethodPost, proxy.URL+"/call/api/rooms", strings.NewReader(`{"room":"kitchen"}`))
	r.SetBasicAuth("admin", password)
	answer, err := browser().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var made struct{ Link, Invite string }
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil || !strings.HasPrefix(made.Link, proxy.URL+"/call/r/kitchen#") {
		t.Fatalf("%d: %+v, %v", answer.StatusCode, made, err)
	}
	if got := icebox(t, dir, "invite", "kitchen"); !strings.HasPrefix(got.stdout, proxy.URL+"/call/r/kitchen#") {
		t.Errorf("icebox invite prints %q", got.stdout)
	}
	enter := func(client string) map[string]any {
		d := websocket.Dialer{TLSClientConfig: browser().Transport.(*http.Transport).TLSClientConfig}
		c, _, err := d.Dial("wss"+strings.TrimPrefix(proxy.URL, "https")+"/call/ws/kitchen?invite="+made.Invite, http.Header{"X-Test-Client": {client}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return readMessage(t, c)
	}
	for client, want := range map[string]string{"198.51.100.1": "welcome", "198.51.100.2": "welcome", "2001:db8::1": "welcome"} {
		if m := enter(client); m["type"] != want {
			t.Errorf("%s: %v", client, m)
		}
	}
	if m := enter("198.51.100.1"); m["code"] != "per-address" {
		t.Errorf("the same client again: %v", m)
	}
}

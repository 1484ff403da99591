package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"icebox/config"
)

// post sends a body to /api/rooms.
func (b *box) post(body string, headers ...string) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequest("POST", "https://"+b.Addr().String()+"/api/rooms", strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	return b.send(r, headers...)
}

func TestAPIRooms(t *testing.T) {
	b := startBox(t, nil)
	me := basic("admin", "123456")
	base := "https://" + b.Addr().String() + "/r/"
	for name, c := range map[string]struct {
		body    string
		headers []string
		status  int
		want    string
	}{
		"a name and a time": {`{"room":"kitchen","ttl":60}`, []string{me}, 200,
			`{"room":"kitchen","invite":"invite-kitchen-1m0s","link":"` + base + `kitchen#invite-kitchen-1m0s","ttl":60}`},
		"a name": {`{"room":"kitchen"}`, []string{me}, 200,
			`{"room":"kitchen","invite":"invite-kitchen-168h0m0s","link":"` + base + `kitchen#invite-kitchen-168h0m0s","ttl":604800}`},
		"nobody":         {`{"room":"kitchen"}`, nil, 401, `{"error":"Sign in with a TURN user of this box."}`},
		"wrong password": {``, []string{basic("admin", "x")}, 401, `{"error":"The user or the password is wrong."}`},
		"no JSON":        {`room=kitchen`, []string{me}, 400, `{"error":"` + strings.ReplaceAll(errRoomRequest.message, `"`, `\"`) + `"}`},
		"too long":       {strings.Repeat(" ", 5000), []string{me}, 400, `{"error":"` + strings.ReplaceAll(errRoomRequest.message, `"`, `\"`) + `"}`},
		"no room":        {`{"room":"a b"}`, []string{me}, 400, `{"error":"` + errRoomName.message + `"}`},
		"no time":        {`{"ttl":-1}`, []string{me}, 400, `{"error":"` + errRoomTTL.message + `"}`},
		"no time at all": {`{"ttl":0}`, []string{me}, 400, `{"error":"` + errRoomTTL.message + `"}`},
		"a long time":    {`{"ttl":9000000000000000000}`, []string{me}, 400, `{"error":"` + errRoomTTL.message + `"}`},
		"garbage Host":   {``, []string{me, "Host: a,b"}, 400, `{"error":"` + errBadHost.message + `"}`},
	} {
		res, body := b.post(c.body, c.headers...)
		if res.StatusCode != c.status || strings.TrimSpace(body) != c.want || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v %s\nwant %d %s", name, res.StatusCode, res.Header, body, c.status, c.want)
		}
		if (res.StatusCode == 401) != (res.Header.Get("WWW-Authenticate") != "") || len(res.Cookies()) > 0 {
			t.Errorf("%s: %v", name, res.Header)
		}
	}
	if res, _ := b.ask("GET", "/api/rooms", me); res.StatusCode != 405 || res.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d, Allow %q", res.StatusCode, res.Header.Get("Allow"))
	}
}

// TestAPIRoomsMakesNames: each time another, that nobody can guess.
func TestAPIRoomsMakesNames(t *testing.T) {
	b := startBox(t, nil)
	seen := map[string]bool{}
	for range 3 {
		_, body := b.post("", basic("admin", "123456"))
		var got invitation
		if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Room) < 22 || !IsRoom(got.Room) || seen[got.Room] {
			t.Errorf("%s", body)
		}
		seen[got.Room] = true
	}
}

// TestRoomLinks: they begin where the internet reaches the box.
func TestRoomLinks(t *testing.T) {
	for want, c := range map[string]config.Config{
		"https://home.example:8443/call/r/": {Public: config.Public{URL: "https://home.example:8443/call/"}},
		"https://xn--bcher-kva.example:":    {Domain: "bücher.example"},
	} {
		b := startBox(t, func(cfg *config.Config, _ *Options) { cfg.Public, cfg.Domain = c.Public, c.Domain })
		_, body := b.post(`{"room":"a"}`, basic("admin", "123456"))
		var got invitation
		if err := json.Unmarshal([]byte(body), &got); err != nil || !strings.HasPrefix(got.Link, want) || !strings.HasSuffix(got.Link, "/r/a#invite-a-168h0m0s") {
			t.Errorf("%s, want %s", body, want)
		}
	}
}

package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

const (
	stunPart = `{"urls":["stun:127.0.0.1:3478"]}`
	turnURLs = `"urls":["turn:127.0.0.1:3478?transport=udp","turn:127.0.0.1:3478?transport=tcp"]`
)

func TestAPIICE(t *testing.T) {
	b := startBox(t, nil)
	for name, c := range map[string]struct {
		headers []string
		status  int
		body    string
	}{
		"right": {[]string{basic("admin", "123456")}, 200,
			`{"iceServers":[` + stunPart + `,{` + turnURLs + `,"username":"1:user/admin","credential":"minted"}],"ttl":43200}`},
		"right, not ASCII": {[]string{basic("用户", "пароль:☃")}, 200,
			`{"iceServers":[` + stunPart + `,{` + turnURLs + `,"username":"1:user/用户","credential":"minted"}],"ttl":43200}`},
		"wrong password": {[]string{basic("admin", "12345")}, 401,
			`{"error":"The user or the password is wrong.","iceServers":[` + stunPart + `]}`},
		"time-limited": {[]string{basic("1:user/admin", "minted")}, 401,
			`{"error":"The user or the password is wrong.","iceServers":[` + stunPart + `]}`},
		"nobody": {nil, 401,
			`{"error":"Sign in with a TURN user of this box.","iceServers":[` + stunPart + `]}`},
		"not basic": {[]string{"Authorization: Bearer x"}, 401,
			`{"error":"Sign in with a TURN user of this box.","iceServers":[` + stunPart + `]}`},
		"garbage Host": {[]string{basic("admin", "123456"), "Host: a,b"}, 400,
			`{"error":"The Host header is neither a name nor an address."}`},
	} {
		res, body := b.ask("GET", "/api/ice", c.headers...)
		if res.StatusCode != c.status || strings.TrimSpace(body) != c.body {
			t.Errorf("%s: %d %s\nwant %d %s", name, res.StatusCode, body, c.status, c.body)
		}
		if got := res.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", name, got)
		}
	}
}

func TestBrowserPasswordWindow(t *testing.T) {
	b := startBox(t, nil)
	for header, want := range map[string]bool{
		"Accept: */*":              true,
		"Sec-Fetch-Dest: document": true,
		"Sec-Fetch-Dest: empty":    false,
		"X-Requested-With: icebox": false,
	} {
		res, _ := b.ask("GET", "/api/ice", header)
		if got := res.Header.Get("WWW-Authenticate") != ""; got != want || res.StatusCode != 401 {
			t.Errorf("%s: %d, WWW-Authenticate %q", header, res.StatusCode, res.Header.Get("WWW-Authenticate"))
		}
	}
}

func TestGuests(t *testing.T) {
	b := startBox(t, nil)
	for _, c := range []struct {
		access string
		guests bool
		status int
	}{
		{"invite", false, 401},
		{"invite", true, 401},
		{"open", false, 401},
		{"open", true, 200},
		{"invite", false, 401},
	} {
		next := testConfig()
		next.Signaling.Access, next.Signaling.GuestTURN = c.access, c.guests
		b.Update(next)
		res, body := b.ask("GET", "/api/ice")
		if res.StatusCode != c.status {
			t.Errorf("%s, guest_turn %v: %d", c.access, c.guests, res.StatusCode)
		}
		var ice ICE
		if err := json.Unmarshal([]byte(body), &ice); err != nil {
			t.Fatal(err)
		}
		if c.status == 200 && !strings.HasPrefix(ice.Servers[1].Username, "1:peer/guest-") {
			t.Errorf("a guest is %q", ice.Servers[1].Username)
		}
		if _, again := b.ask("GET", "/api/ice"); c.status == 200 && again != body {
			t.Errorf("the same guest gets %s, then %s", body, again)
		}
		if res, _ := b.ask("GET", "/api/ice", basic("admin", "no")); res.StatusCode != 401 {
			t.Errorf("%s, guest_turn %v, wrong password: %d", c.access, c.guests, res.StatusCode)
		}
	}
}

func TestUpdateOfDomain(t *testing.T) {
	b := startBox(t, nil)
	next := testConfig()
	next.Domain, next.Public.TURNPort = "家.example", 13478
	next.Signaling.Listen, next.TURN.Listen = "127.0.0.1:1", nil
	b.Update(next)
	_, body := b.ask("GET", "/api/ice", basic("admin", "123456"), "Host: a,b")
	if !strings.Contains(body, `"turn:xn--fct.example:13478?transport=udp"`) {
		t.Errorf("after Update: %s", body)
	}
	if got := b.cfg.Load().Signaling.Listen; got != "127.0.0.1:0" {
		t.Errorf("signaling.listen in force is %q", got)
	}
}

// TestAPIICEAtHome: a page that was opened by a private address gets that one, too.
func TestAPIICEAtHome(t *testing.T) {
	b := startBox(t, nil)
	next := testConfig()
	next.Domain, next.Public.TURNPort = "home.example", 13478
	b.Update(next)
	const out, home = `"turn:home.example:13478?transport=udp","turn:home.example:13478?transport=tcp"`,
		`,"turn:192.168.1.20:3478?transport=udp","turn:192.168.1.20:3478?transport=tcp"`
	for host, want := range map[string]string{"192.168.1.20:3002": out + home, "home.example:3002": out} {
		_, body := b.ask("GET", "/api/ice", basic("admin", "123456"), "Host: "+host)
		if !strings.Contains(body, `"urls":[`+want+`]`) {
			t.Errorf("%s: %s\nwant %s", host, body, want)
		}
	}
}

func TestGuessingIsSlowed(t *testing.T) {
	t.Parallel()
	b := startBox(t, nil)
	statuses := make(chan int, 100)
	for range cap(statuses) {
		go func() {
			r, _ := http.NewRequest("GET", "https://"+b.Addr().String()+"/api/ice", nil)
			r.SetBasicAuth("admin", "guess")
			res, err := b.client().Do(r)
			if err != nil {
				statuses <- 0
				return
			}
			res.Body.Close()
			if res.StatusCode == 429 && res.Header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
			statuses <- res.StatusCode
		}()
	}
	got := map[int]int{}
	for range cap(statuses) {
		got[<-statuses]++
	}
	if got[401] < freeAttempts || got[401] > freeAttempts+10 || got[401]+got[429] != cap(statuses) {
		t.Errorf("answers by status: %v", got)
	}
}

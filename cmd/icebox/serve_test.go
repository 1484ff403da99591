package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// browser takes every certificate, as a person who clicks the warning through.
func browser() *http.Client {
	return &http.Client{
		Timeout:   patience,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
	}
}

// pageOf is the address of the landing page that a serving box has printed.
func pageOf(t *testing.T, p *process) string {
	t.Helper()
	page := regexp.MustCompile(`https?://127\.0\.0\.1:\d+`).FindString(p.stdout.String())
	if page == "" {
		t.Fatal("no address of the page on stdout")
	}
	return page
}

// get is the status and the body of one GET, as user where one is given.
func get(t *testing.T, url, user, password string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	answer, err := browser().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func readText(t *testing.T, name ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(name...))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

func TestServe(t *testing.T) {
	dir := configDir(t, loopbackConfig)
	p := serving(t, dir)
	page := pageOf(t, p)
	if code, body := get(t, page+"/healthz", "", ""); code != http.StatusOK || body != "ok\n" {
		t.Errorf("/healthz answers %d %q", code, body)
	}
	password := readText(t, dir, "state", "password-admin")
	if code, body := get(t, page+"/api/ice", "admin", password); code != http.StatusOK || !strings.Contains(body, ":user/admin") {
		t.Errorf("/api/ice answers %d %q", code, body)
	}
	p.signal(t, os.Interrupt)
	if got := p.wait(t); got.code != exitOK {
		t.Errorf("exit code %d after SIGINT, want 0", got.code)
	}
	address := strings.TrimPrefix(page, "https://")
	if ln, err := net.Listen("tcp", address); err != nil {
		t.Errorf("%s is not free again: %v", address, err)
	} else {
		ln.Close()
	}
}

// TestServeIsQuick takes the best of three starts: other tests want the machine
// at the same time.
func TestServeIsQuick(t *testing.T) {
	best := patience
	for range 3 {
		begin := time.Now()
		p := serving(t, configDir(t, loopbackConfig))
		best = min(best, time.Since(begin))
		p.signal(t, os.Interrupt)
		p.wait(t)
	}
	if best > 2*time.Second {
		t.Errorf("it takes %v to serve, want less than 2s", best)
	}
}

func TestServeStopsOnSIGTERM(t *testing.T) {
	p := serving(t, configDir(t, loopbackConfig), "serve")
	begin := time.Now()
	p.signal(t, syscall.SIGTERM)
	if got := p.wait(t); got.code != exitOK || !strings.Contains(got.stderr, "drain") {
		t.Errorf("exit code %d, want 0 after draining", got.code)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v to stop without a session, turn.drain is 30s", took)
	}
}

// TestServeSummary looks for what its owner needs, not for how it is laid out.
func TestServeSummary(t *testing.T) {
	dir := configDir(t, strings.Replace(loopbackConfig, "turn:", "domain: bücher.example\npublic: {turn_port: 5349}\nturn:", 1))
	p := serving(t, dir)
	out := p.until(t, &p.stdout, "seed_room")
	for _, want := range []string{
		"https://xn--bcher-kva.example:",
		"50000-50999",
		filepath.Join(dir, "state", "password-admin"),
		`"stun:xn--bcher-kva.example:5349"`,
		`"turn:xn--bcher-kva.example:5349?transport=udp"`,
		`"PASSWORD OF admin"`,
		"an iPhone",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("stdout lacks %q", want)
		}
	}
	for _, never := range []string{"█", "▀", "/r/", readText(t, dir, "state", "password-admin")} {
		if strings.Contains(out, never) {
			t.Errorf("stdout, which is no terminal, has %q", never)
		}
	}
	if strings.Contains(p.stderr.String(), "icebox is serving") {
		t.Error("the summary is on stderr")
	}
}

func TestServeAgainKeepsSecrets(t *testing.T) {
	dir := configDir(t, loopbackConfig)
	state := func() (all string) {
		for _, name := range []string{"password-admin", "turn-secret"} {
			all += readText(t, dir, "state", name) + "\n"
		}
		return all
	}
	p := serving(t, dir)
	first := state()
	p.signal(t, os.Interrupt)
	p.wait(t)
	serving(t, dir)
	if state() != first {
		t.Error("the second start has made new secrets")
	}
	cred := icebox(t, dir, "cred", "--ttl", "1m")
	if cred.code != exitOK || !strings.Contains(cred.stdout, ":user/admin") || !strings.Contains(cred.stdout, `"ttl": 60`) {
		t.Errorf("cred: code %d, stdout %q", cred.code, cred.stdout)
	}
	if !strings.Contains(cred.stderr, "this network only") {
		t.Errorf("cred without a domain says %q on stderr", cred.stderr)
	}
}

func TestServeNamesTheListenerInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	takenUDP, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer takenUDP.Close()
	// The system chooses ports that the relay has by default, too.
	text := strings.Replace(loopbackConfig, "turn:", "turn:\n  relay: {ports: 20000-20099}", 1)
	for _, c := range []struct{ key, old, new string }{
		{"signaling.listen", `signaling: {listen: "127.0.0.1:0"}`, fmt.Sprintf("signaling: {listen: %q}", taken.Addr())},
		{"admin.listen", `admin: {listen: "127.0.0.1:0"}`, fmt.Sprintf("admin: {listen: %q}", taken.Addr())},
		{"turn.listen[0]", `network: udp, address: "127.0.0.1:0"`, fmt.Sprintf("network: udp, address: %q", takenUDP.LocalAddr())},
		{"turn.listen[1]", `network: tcp, address: "127.0.0.1:0"`, fmt.Sprintf("network: tcp, address: %q", taken.Addr())},
	} {
		t.Run(c.key, func(t *testing.T) {
			dir := configDir(t, strings.Replace(text, c.old, c.new, 1))
			got := icebox(t, dir)
			if got.code != exitFault || got.stdout != "" {
				t.Errorf("code %d, stdout %q, want a fault and nothing", got.code, got.stdout)
			}
			for _, want := range []string{c.key, "127.0.0.1:", "stop it"} {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("stderr %q lacks %q", got.stderr, want)
				}
			}
		})
	}
}

// TestNoSecretIsWritten looks for every secret in all that a box writes at its
// most talkative, good and bad requests included.
func TestNoSecretIsWritten(t *testing.T) {
	text := strings.Replace(loopbackConfig, "turn:", "log: {level: debug}\nturn:\n  secret: the-shared-secret-of-turn", 1)
	text = strings.Replace(text, `password: ""}`, `password: ""}, {name: bob, password: bobs-own-password}`, 1)
	dir := configDir(t, text)
	p := serving(t, dir)
	page := pageOf(t, p)
	generated := readText(t, dir, "state", "password-admin")
	minted := ""
	for user, password := range map[string]string{"admin": generated, "bob": "bobs-own-password", "eve": "guess-of-eve"} {
		_, body := get(t, page+"/api/ice", user, password)
		minted += body
	}
	p.signal(t, syscall.SIGTERM)
	got := p.wait(t)
	all := got.stdout + got.stderr + icebox(t, dir, "check").stdout
	secrets := []string{generated, "bobs-own-password", "the-shared-secret-of-turn", "guess-of-eve"}
	for _, m := range regexp.MustCompile(`"credential":\s*"([^"]+)"`).FindAllStringSubmatch(minted, -1) {
		secrets = append(secrets, m[1])
	}
	if len(secrets) != 6 {
		t.Errorf("%d secrets to look for, want 6", len(secrets))
	}
	for _, secret := range secrets {
		if strings.Contains(all, secret) {
			t.Errorf("%q was written", secret)
		}
	}
}

// TestTooManySocketsAreTold: a browser over signaling's cap sees the close code,
// though other connections of its house are open as well.
func TestTooManySocketsAreTold(t *testing.T) {
	dir := configDir(t, strings.Replace(loopbackConfig, `signaling: {`, `signaling: {connections_per_address: 3, `, 1))
	page := pageOf(t, serving(t, dir))
	address := strings.TrimPrefix(page, "https://")
	for range 5 { // what a browser keeps open in case it wants more
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, HandshakeTimeout: patience}
	for i := range 4 {
		c, _, err := dialer.Dial("wss://"+address+"/seed/full", nil)
		if err != nil {
			t.Fatalf("socket %d: %v", i, err)
		}
		defer c.Close()
		if i < 3 {
			continue
		}
		c.SetReadDeadline(time.Now().Add(patience))
		if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, 4429) {
			t.Errorf("the socket over the cap reads %v, want close 4429", err)
		}
	}
}

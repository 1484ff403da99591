package main

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// enterRoom connects to a room of a serving box and returns its first message.
func enterRoom(t *testing.T, page, path string) (*websocket.Conn, map[string]any) {
	t.Helper()
	return enterRoomAt(t, page, path, "")
}

// enterRoomAt is enterRoom of a page that was opened by this host; empty: as it is.
func enterRoomAt(t *testing.T, page, path, host string) (*websocket.Conn, map[string]any) {
	t.Helper()
	header := http.Header{}
	if host != "" {
		header.Set("Host", host)
	}
	d := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, HandshakeTimeout: patience}
	c, _, err := d.Dial(strings.Replace(page, "http", "ws", 1)+path, header)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, readMessage(t, c)
}

func readMessage(t *testing.T, c *websocket.Conn) map[string]any {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	var m map[string]any
	if err := c.ReadJSON(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestInvite: the link that the command prints lets into its room, and into no
// other.
func TestInvite(t *testing.T) {
	dir := configDir(t, strings.Replace(loopbackConfig, "turn:", "log: {level: debug}\ndomain: bücher.example\nturn:", 1))
	p := serving(t, dir)
	page := strings.Replace(pageOf(t, p), "xn--bcher-kva.example", "127.0.0.1", 1)
	got := icebox(t, dir, "invite", "kitchen", "--ttl", "1h")
	link := regexp.MustCompile(`^https://xn--bcher-kva\.example:0/r/kitchen#([\w-]+)\n$`).FindStringSubmatch(got.stdout)
	if got.code != exitOK || link == nil {
		t.Fatalf("code %d, stdout %q", got.code, got.stdout)
	}
	_, m := enterRoom(t, page, "/ws/kitchen?invite="+link[1])
	if m["type"] != "welcome" || m["ttl"] != 43200.0 {
		t.Errorf("the first message is %v", m)
	}
	if _, m := enterRoom(t, page, "/ws/attic?invite="+link[1]); m["code"] != "invite-foreign" {
		t.Errorf("another room: %v", m)
	}
	if _, m := enterRoom(t, page, "/ws/kitchen"); m["code"] != "invite-missing" {
		t.Errorf("without an invite: %v", m)
	}
	enterRoom(t, page, "/ws/kitchen?seq=0&resume="+m["resume"].(string))
	get(t, page+"/ws/kitchen?invite="+link[1], "", "") // no upgrade
	get(t, page+"/nowhere?invite="+link[1], "", "")
	p.signal(t, os.Interrupt)
	p.wait(t)
	for _, secret := range []string{link[1], m["resume"].(string)} {
		if strings.Contains(p.stdout.String()+p.stderr.String(), secret) {
			t.Error("a token is in what the box has said")
		}
	}
}

// TestWelcomeCredentials: those of the welcome are the peer's own.
func TestWelcomeCredentials(t *testing.T) {
	dir := configDir(t, loopbackConfig)
	p := serving(t, dir)
	token := strings.TrimSpace(icebox(t, dir, "invite", "r").stdout)
	_, token, _ = strings.Cut(token, "#")
	_, m := enterRoom(t, pageOf(t, p), "/ws/r?invite="+token)
	text, _ := json.Marshal(m["iceServers"])
	if want := ":peer/" + m["id"].(string); !strings.Contains(string(text), want) {
		t.Errorf("iceServers are %s, want %s in them", text, want)
	}
}

package main

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// credentialsOf are those in a welcome, and the address of TURN over UDP.
func credentialsOf(t *testing.T, m map[string]any) (address, user, password string) {
	t.Helper()
	text, err := json.Marshal(m["iceServers"])
	if err != nil {
		t.Fatal(err)
	}
	var servers []struct {
		URLs                 []string
		Username, Credential string
	}
	if err := json.Unmarshal(text, &servers); err != nil || len(servers) != 2 {
		t.Fatalf("iceServers are %s", text)
	}
	address, _, _ = strings.Cut(strings.TrimPrefix(servers[1].URLs[0], "turn:"), "?")
	return address, servers[1].Username, servers[1].Credential
}

// TestGuestsEnd: with guest_turn taken away, what guests have begun ends, and their
// credentials are no good any more.
func TestGuestsEnd(t *testing.T) {
	const guests = "signaling: {access: open, guest_turn: true, "
	dir := configDir(t, strings.Replace(loopbackConfig, "signaling: {", guests, 1))
	p := serving(t, dir)
	page := pageOf(t, p)
	_, inRoom := enterRoom(t, page, "/ws/r")
	address, user, password := credentialsOf(t, inRoom)
	_, text := get(t, page+"/api/ice", "", "")
	var atAPI map[string]any
	if err := json.Unmarshal([]byte(text), &atAPI); err != nil {
		t.Fatal(err)
	}
	_, apiUser, apiPassword := credentialsOf(t, atAPI)
	both := [][2]string{{user, password}, {apiUser, apiPassword}}
	for _, cred := range both {
		if _, err := allocate(t, address, cred[0], cred[1]); err != nil {
			t.Fatal(err)
		}
	}
	writeConfig(t, dir, strings.Replace(loopbackConfig, "signaling: {", strings.Replace(guests, "true", "false", 1), 1))
	for deadline := time.Now().Add(patience); turnSessions(t, p) != "0"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s sessions are left", turnSessions(t, p))
		}
	}
	for _, cred := range both {
		if _, err := allocate(t, address, cred[0], cred[1]); err == nil {
			t.Errorf("%s still allocates", cred[0])
		}
	}
}

// TestCredentialsEndWithTheirPeer: the session that a peer has made ends when it
// leaves its room, and nobody makes another with its credentials.
func TestCredentialsEndWithTheirPeer(t *testing.T) {
	dir := configDir(t, strings.Replace(loopbackConfig, "signaling: {", "signaling: {resume: 0s, ", 1))
	p := serving(t, dir)
	_, token, _ := strings.Cut(strings.TrimSpace(icebox(t, dir, "invite", "r").stdout), "#")
	stays, _ := enterRoom(t, pageOf(t, p), "/ws/r?invite="+token)
	for name, leave := range map[string]func(*websocket.Conn){
		"says so":   func(c *websocket.Conn) { c.WriteMessage(websocket.CloseMessage, nil) },
		"is cut":    func(c *websocket.Conn) { c.NetConn().Close() },
		"is binary": func(c *websocket.Conn) { c.WriteMessage(websocket.BinaryMessage, []byte("x")) },
	} {
		t.Run(name, func(t *testing.T) {
			c, m := enterRoom(t, pageOf(t, p), "/ws/r?invite="+token)
			if m := readMessage(t, stays); m["type"] != "peer-joined" {
				t.Fatalf("%v", m)
			}
			address, user, password := credentialsOf(t, m)
			if _, err := allocate(t, address, user, password); err != nil {
				t.Fatal(err)
			}
			if n := turnSessions(t, p); n != "1" {
				t.Fatalf("%s sessions", n)
			}
			leave(c)
			if m := readMessage(t, stays); m["type"] != "peer-left" {
				t.Fatalf("%v", m)
			}
			for deadline := time.Now().Add(patience); turnSessions(t, p) != "0"; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the session lives on")
				}
			}
			if _, err := allocate(t, address, user, password); err == nil {
				t.Error("the credentials are still good")
			}
		})
	}
}

// turnSessions is what the metrics say of sessions over UDP.
func turnSessions(t *testing.T, p *process) string {
	t.Helper()
	code, body := get(t, "http://"+adminOf(t, p)+"/metrics", "", "")
	if code != http.StatusOK {
		t.Fatalf("/metrics answers %d", code)
	}
	for line := range strings.Lines(body) {
		if n, ok := strings.CutPrefix(line, `icebox_turn_sessions{transport="udp"} `); ok {
			return strings.TrimSpace(n)
		}
	}
	return "no such metric"
}

// TestNewAddressIsTold: peers of rooms hear of a new public address at once, and
// get other iceServers when the domain changes.
func TestNewAddressIsTold(t *testing.T) {
	dir := configDir(t, loopbackConfig)
	p := serving(t, dir)
	_, token, _ := strings.Cut(strings.TrimSpace(icebox(t, dir, "invite", "r").stdout), "#")
	c, _ := enterRoom(t, pageOf(t, p), "/ws/r?invite="+token)
	writeConfig(t, dir, loopbackConfig+"public: {ipv4: 198.51.100.7}\n")
	if m := readMessage(t, c); m["type"] != "ice-servers" || m["restart"] != true || m["seq"] != 1.0 {
		t.Errorf("after a new address: %v", m)
	}
	writeConfig(t, dir, loopbackConfig+"public: {ipv4: 198.51.100.7}\ndomain: home.example\n")
	m := readMessage(t, c)
	if address, _, _ := credentialsOf(t, m); m["restart"] != false || !strings.HasPrefix(address, "home.example:") {
		t.Errorf("after a new domain: %v", m)
	}
	p.signal(t, os.Interrupt)
	p.wait(t)
}

// TestPeersAtHome: a peer whose page was opened by a private address of the box gets
// that one, too, with the ports that the box has inside.
func TestPeersAtHome(t *testing.T) {
	dir := configDir(t, loopbackConfig+"domain: home.example\npublic: {turn_port: 13478}\n")
	p := serving(t, dir)
	_, token, _ := strings.Cut(strings.TrimSpace(icebox(t, dir, "invite", "r").stdout), "#")
	for host, there := range map[string]bool{"192.168.1.20:3002": true, "home.example:3002": false} {
		_, m := enterRoomAt(t, pageOf(t, p), "/ws/r?invite="+token, host)
		text, err := json.Marshal(m["iceServers"])
		if err != nil {
			t.Fatal(err)
		}
		for _, network := range []string{"udp", "tcp"} {
			url := regexp.MustCompile(`"turn:192\.168\.1\.20:(\d+)\?transport=` + network + `"`).FindSubmatch(text)
			if (url != nil) != there {
				t.Errorf("%s: %s in %s: %v, want %v", host, network, text, url != nil, there)
			}
			if url != nil && string(url[1]) == "13478" {
				t.Errorf("%s: the port is that of the internet in %s", host, url[0])
			}
		}
	}
	p.signal(t, os.Interrupt)
	p.wait(t)
}

// TestRefusedKeysAreNotTold: what can't change while icebox runs stays as it was for
// peers of rooms, too.
func TestRefusedKeysAreNotTold(t *testing.T) {
	dir := configDir(t, loopbackConfig)
	p := serving(t, dir)
	_, token, _ := strings.Cut(strings.TrimSpace(icebox(t, dir, "invite", "r").stdout), "#")
	c, m := enterRoom(t, pageOf(t, p), "/ws/r?invite="+token)
	before, _, _ := credentialsOf(t, m)
	_, port, _ := strings.Cut(before, ":")
	const udp, tcp = `    - {network: udp, address: "127.0.0.1:0"}` + "\n", `    - {network: tcp, address: "127.0.0.1:0"}` + "\n"
	writeConfig(t, dir, strings.Replace(loopbackConfig, udp+tcp, tcp+udp, 1)+"domain: home.example\n")
	if address, _, _ := credentialsOf(t, readMessage(t, c)); address != "home.example:"+port {
		t.Errorf("TURN over UDP is at %s by now, it was at %s", address, before)
	}
	p.signal(t, os.Interrupt)
	p.wait(t)
}

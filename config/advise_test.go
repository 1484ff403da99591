package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestWarnings(t *testing.T) {
	house(t)
	write(t, "sekret", "letmein\n")
	const guess = `: whoever guesses it can relay through this box; choose another, or "" to have one made`
	const outside = `: callers outside won't find the box; take a name of a DDNS service, or one of your own`
	for _, test := range []struct{ file, want string }{
		{"turn: {users: [{name: admin, password: 123456}]}", `config.yaml:1: turn.users[0].password: the password of "admin" is one of those that everybody tries` + guess},
		{"turn: {users: [{name: ann, password: Password}]}", `config.yaml:1: turn.users[0].password: the password of "ann" is one of those that everybody tries` + guess},
		{"turn: {users: [{name: annannann, password: ANNannann}]}", `config.yaml:1: turn.users[0].password: the password of "annannann" is the user's name` + guess},
		{"turn: {users: [{name: ann, password: xk3v}]}", `config.yaml:1: turn.users[0].password: the password of "ann" has fewer than 8 bytes` + guess},
		{"turn: {users: [{name: ann, password: “correct-horse-battery”}]}", `config.yaml:1: turn.users[0].password: the quotes of the password of "ann" are a part of it, as YAML knows " and ' alone; did you mean these?`},
		{"turn: {users: [{name: ann, password: aaaaaaaaaa}]}", `config.yaml:1: turn.users[0].password: the password of "ann" is one letter again and again` + guess},
		{"turn: {users: [{name: ann, password: 98765432}]}", `config.yaml:1: turn.users[0].password: the password of "ann" is a row of digits` + guess},
		{"turn: {users: [{name: ann, password_file: sekret}]}", `config.yaml:1: turn.users[0].password_file: the password of "ann" is one of those that everybody tries` + guess},
		{"turn:\n  users:\n    - {name: ann, key: 00112233445566778899aabbccddeeff}", `config.yaml:3: turn.users[0].key: the key is good for realm "icebox" only: set turn.realm, so that it stays that`},
		{"turn: {users: [{name: ann, password: xk3vqp81}]}", ""},
		{"domain: box.LAN", `config.yaml:1: domain: the internet can't know "box.LAN"` + outside},
		{"domain: box.local", `config.yaml:1: domain: the internet can't know "box.local"` + outside},
		{"domain: box.home.arpa", `config.yaml:1: domain: the internet can't know "box.home.arpa"` + outside},
		{"domain: box.internal", `config.yaml:1: domain: the internet can't know "box.internal"` + outside},
		{"domain: box.localdomain", `config.yaml:1: domain: the internet can't know "box.localdomain"` + outside},
		{"domain: box.home", `config.yaml:1: domain: the internet can't know "box.home"` + outside},
		{"domain: box", `config.yaml:1: domain: the internet can't know "box"` + outside},
		{"domain: local.example", ""},
		{"domain: home.bücher.example", ""},
		{"public: {ipv4: 192.168.1.2}", "config.yaml:1: public.ipv4: the internet can't reach 192.168.1.2: relayed calls then stay on this side of the router"},
		{"public: {ipv4: 100.64.1.2}", "config.yaml:1: public.ipv4: the internet can't reach 100.64.1.2: relayed calls then stay on this side of the router"},
		{"public: {ipv4: 192.0.0.2}", "config.yaml:1: public.ipv4: the internet can't reach 192.0.0.2: relayed calls then stay on this side of the router"},
		{"public: {ipv4: 198.18.0.1}", "config.yaml:1: public.ipv4: the internet can't reach 198.18.0.1: relayed calls then stay on this side of the router"},
		{"public: {ipv4: 192.0.2.1, ipv6: \"2001:db8::1\"}", ""},
		{"public: {ipv6: \"fd00::1\"}", "config.yaml:1: public.ipv6: the internet can't reach fd00::1: relayed calls then stay on this side of the router"},
		{"public: {source: interface, ipv4: 203.0.113.7}", "config.yaml:1: public.source: interface is there, so public.ipv4 and public.ipv6 are not used"},
		{"signaling: {access: open, guest_turn: true}", "config.yaml:1: signaling.guest_turn: anybody on the internet can relay through this box"},
		{"signaling: {guest_turn: true}", "config.yaml:1: signaling.guest_turn: true does nothing unless signaling.access is open"},
		{"admin: {listen: \":9640\"}", "config.yaml:1: admin.listen: metrics and status can be read from other machines; 127.0.0.1 keeps them here"},
		{"admin: {listen: \"[::1]:9640\"}", ""},
		{"tls: {source: off}", "config.yaml:1: tls.source: off is there: browsers give pages camera and microphone over https only, so something else must do the TLS"},
		{"tls: {source: self-signed, cert: a, key: b}", "config.yaml:1: tls.source: self-signed is there, so tls.cert and tls.key are not used"},
		{"turn: {peers: {allow: [10.0.0.0/8, 127.0.0.0/8, \"fe80::/64\", 0.0.0.0/0]}}", "config.yaml:1: turn.peers.allow[1]: 127.0.0.0/8 stays denied: loopback, link-local, multicast and unspecified addresses never open\n" +
			"config.yaml:1: turn.peers.allow[2]: fe80::/64 stays denied: loopback, link-local, multicast and unspecified addresses never open"},
		{"signaling: {trusted_proxies: [10.0.0.0/8, 0.0.0.0/0]}", "config.yaml:1: signaling.trusted_proxies[1]: 0.0.0.0/0 is everybody: whoever connects can then claim any address"},
		{"turn: {realm: ~}", `config.yaml:1: turn.realm: "~" is taken as a text; for nothing, write ""`},
	} {
		_, warnings := loadText(t, test.file)
		if got := warningTexts(warnings); got != test.want {
			t.Errorf("%s\ngot  %s\nwant %s", test.file, got, test.want)
		}
	}
}

// TestReadableSecrets warns of files that others can read.
func TestReadableSecrets(t *testing.T) {
	needs(t, runtime.GOOS != "windows", "file permissions")
	dir := house(t)
	path := filepath.Join(dir, "config.yaml")
	open := func(name string, mode os.FileMode) {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	warned := func(text string) string {
		t.Helper()
		write(t, path, text) // keeps the mode
		_, warnings, err := Load("config.yaml")
		if err != nil {
			t.Fatal(err)
		}
		return warningTexts(warnings)
	}
	write(t, path, "")
	open(path, 0o640)
	want := "config.yaml:2: turn.secret: others on this machine can read the secrets in this file: chmod 600 " + path
	if got := warned("turn:\n  secret: 0123456789abcdef"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := warned("turn: {users: [{name: ann}]}"); got != "" {
		t.Errorf("no secret is there, but %s", got)
	}
	open(path, 0o600)
	if got := warned("turn: {secret: 0123456789abcdef}"); got != "" {
		t.Errorf("nobody can read it, but %s", got)
	}
	if err := os.Mkdir("state", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "state/turn-secret", "0123456789abcdef\n")
	open("state/turn-secret", 0o644)
	open("state", 0o777)
	want = "state_dir: others on this machine can change what is in it: chmod 700 " + dir + "/state\n" +
		"state_dir: others on this machine can read a secret: chmod 600 " + dir + "/state/turn-secret"
	if got := warned("{}"); strings.ReplaceAll(got, "config.yaml: ", "") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

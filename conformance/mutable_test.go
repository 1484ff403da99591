//go:build linux

package conformance

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// seam is a place in package turnserver at which a check can be left out: the
// text that stands there once, and what it is for a box that can.
type seam struct{ file, is, mutable string }

var seams = []seam{
	{"account.go", "acc.taken+n > perUser {", `acc.taken+n > perUser && !off("quota of a user") {`},
	{"account.go", "a.total+n > all {", `a.total+n > all && !off("quota of the box") {`},
	{"batch_linux.go", "at := d.Tuple()\n", "at := d.Tuple(); if off(\"address asked\") { at.Local = netip.AddrPortFrom(netip.IPv6Unspecified(), at.Local.Port()) }\n"},
	{"datapath.go", "if size > len(packet)-channelHeader {", `if size > len(packet)-channelHeader && !off("ChannelData whole") {`},
	{"datapath.go", "!m.has(attrData) || m.unknownLen > 0 ||", `(!m.has(attrData) || m.unknownLen > 0) && !off("indications sound") ||`},
	{"datapath.go", "c == nil || c.expires.passed(now):", `c == nil || c.expires.passed(now) && !off("end of a channel"):`},
	{"datapath.go", "case c.permission.expires.passed(now):", `case c.permission.expires.passed(now) && !off("end of a permission: ChannelData"):`},
	{"datapath.go", "p.expires.passed(now):\n\t\ts.drop(dropNoPermission)\n\tdefault", "p.expires.passed(now) && !off(\"end of a permission: Send\"):\n\t\ts.drop(dropNoPermission)\n\tdefault"},
	{"datapath.go", "p.expires.passed(now):\n\t\ts.drop(dropNoPermission)\n\t\treturn", "p.expires.passed(now) && !off(\"end of a permission: Data\"):\n\t\ts.drop(dropNoPermission)\n\t\treturn"},
	{"flow.go", "comparePermission)\n\tif !ok {\n\t\treturn nil", "comparePermission)\n\tif !ok {\n\t\treturn noPermission()"},
	{"guard.go", "rules: allRules", "rules: rulesInForce()"},
	{"guard.go", "if m.kind.Class != stun.ClassRequest {", `if m.kind.Class != stun.ClassRequest && !off("requests alone") {`},
	{"guard.go", `if r.origin.user.username != "" || r.paid {`, `if r.origin.user.username != "" || r.paid || off("answers to strangers") {`},
	{"guard.go", "if r.authenticated {\n\t\tsetters", "if r.authenticated && !off(\"answers signed\") {\n\t\tsetters"},
	{"guard.go", "if r.fingerprint {", `if r.fingerprint && !off("FINGERPRINT answered") {`},
	{"message.go", "!= magicCookie {", `!= magicCookie && !off("magic cookie") {`},
	{"message.go", "if length%4 != 0 || length != len(raw)-headerSize {", `if (length%4 != 0 || length != len(raw)-headerSize) && !off("message length") {`},
	{"message.go", "if next > len(raw) {", `if next > len(raw) && !off("attributes whole") {`},
	{"message.go", "if m.integrity != 0 {\n\t\treturn nil", "if m.integrity != 0 && !off(\"nothing after MESSAGE-INTEGRITY\") {\n\t\treturn nil"},
	{"message.go", "if m.known[k].start == 0 {", `if m.known[k].start == 0 || off("first of duplicates") {`},
	{"message.go", "^fingerprintXOR {", `^fingerprintXOR && !off("FINGERPRINT right") {`},
	{"message.go", "len(v) == size {", `len(v) == size || off("lengths of values") {`},
	{"nonce.go", "addr := t.client.Addr().As16()", `if off("nonces of clients") { t = tuple{} }; addr := t.client.Addr().As16()`},
	{"nonce.go", "now.sub(made) < nonceLifetime", `(now.sub(made) < nonceLifetime || off("end of a nonce"))`},
	{"reservation.go", "if !ok || !now.before(res.expires) {", `if !ok || !now.before(res.expires) && !off("end of a token") {`},
	{"reservation.go", "return ok && now.before(res.expires)", `return ok && (now.before(res.expires) || off("end of a token"))`},
	{"reservation.go", "\t\tif !now.before(res.expires) {", "\t\tif !now.before(res.expires) && !off(\"end of a token\") {"},
	{"session.go", "now.before(c.expires.get().add(channelRest)) {", `now.before(c.expires.get().add(channelRest)) && !off("rest of a number") {`},
	{"sessions.go", "over := s.expires.passed(m.clock.now()) &&", `over := s.expires.passed(m.clock.now()) && !off("end of a session") &&`},
	{"policy.go", `return p.reason(addr) == ""`, `return p.reason(addr) == "" || off("peer policy")`},
	{"sessions.go", "if m.draining.Load() {", `if m.draining.Load() && !off("draining") {`},
	{"stream.go", "limit := strangerFrame\n\t\tif session != nil {", "limit := strangerFrame\n\t\tif session != nil || off(\"frames of strangers\") {"},
	{"udp.go", "if s.wildcard {\n\t\tif addr", "if s.wildcard && !off(\"address asked\") {\n\t\tif addr"},
}

// mutable is a box that can leave a rule out, tests to be run on it, and those of
// package turnserver, whose clock they can move, with the same sources.
type mutable struct{ box, tests, inside string }

// buildMutable builds the box from sources in which off has been put at every
// seam. The sources themselves stay as they are.
func buildMutable(t *testing.T) mutable {
	t.Helper()
	tests, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	m := mutable{box: filepath.Join(dir, "icebox"), tests: tests, inside: filepath.Join(dir, "turnserver.test")}
	over := overlay(t, dir)
	for _, args := range [][]string{
		{"build", "-overlay", over, "-o", m.box, "icebox/cmd/icebox"},
		{"test", "-c", "-overlay", over, "-o", m.inside, "icebox/turnserver"},
	} {
		if text, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			t.Fatalf("build a box that can leave rules out: %v\n%s", err, text)
		}
	}
	return m
}

// overlay writes the changed sources to dir, and the file that tells the go
// command of them.
func overlay(t *testing.T, dir string) string {
	t.Helper()
	changed := make(map[string]string)
	for _, s := range seams {
		if _, ok := changed[s.file]; !ok {
			changed[s.file] = read(t, filepath.Join("..", "turnserver", s.file))
		}
		if n := strings.Count(changed[s.file], s.is); n != 1 {
			t.Fatalf("turnserver/%s has %q %d times, expected once: seams has to follow the sources", s.file, s.is, n)
		}
		changed[s.file] = strings.Replace(changed[s.file], s.is, s.mutable, 1)
	}
	changed["rules_off.go"] = read(t, filepath.Join("testdata", "rules_off.go"))
	replace := make(map[string]string)
	for file, text := range changed {
		place, err := filepath.Abs(filepath.Join("..", "turnserver", file))
		if err != nil {
			t.Fatal(err)
		}
		replace[place] = filepath.Join(dir, file)
		write(t, replace[place], []byte(text))
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "overlay.json"), list)
	return filepath.Join(dir, "overlay.json")
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

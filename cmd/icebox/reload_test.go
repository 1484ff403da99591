package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// iceStatus asks the box for credentials until the status is want.
func iceStatus(t *testing.T, page, user, password string, want int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		code, _ := get(t, page+"/api/ice", user, password)
		if code == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("/api/ice answers %s with %d for %v, want %d", user, code, patience, want)
		}
	}
}

func TestReload(t *testing.T) {
	dir := configDir(t, loopbackConfig)
	p := serving(t, dir)
	page := pageOf(t, p)
	if code, _ := get(t, page+"/api/ice", "bob", "bobs-own-password"); code != http.StatusUnauthorized {
		t.Fatalf("a stranger gets %d", code)
	}

	withBob := strings.Replace(loopbackConfig, `password: ""}`, `password: ""}, {name: bob, password: bobs-own-password}`, 1)
	writeConfig(t, dir, withBob)
	iceStatus(t, page, "bob", "bobs-own-password", http.StatusOK)

	writeConfig(t, dir, strings.Replace(withBob, "users:", "user:", 1))
	p.until(t, &p.stderr, "turn.user")
	if code, _ := get(t, page+"/api/ice", "bob", "bobs-own-password"); code != http.StatusOK {
		t.Errorf("after a bad file bob gets %d, want the old configuration", code)
	}

	writeConfig(t, dir, strings.Replace(loopbackConfig, `signaling: {listen: "127.0.0.1:0"}`, `signaling: {listen: "127.0.0.1:1"}`, 1)+"log: {format: text}\n")
	p.until(t, &p.stderr, "signaling.listen")
	p.until(t, &p.stderr, "log.format")
	iceStatus(t, page, "bob", "bobs-own-password", http.StatusUnauthorized) // the rest applies

	writeConfig(t, dir, withBob) // as it was: nothing to warn of
	iceStatus(t, page, "bob", "bobs-own-password", http.StatusOK)
	if n := strings.Count(p.stderr.String(), "log.format"); n != 1 {
		t.Errorf("log.format is warned of %d times, want once", n)
	}
}

package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReloadKeepsSecrets takes state_dir away while icebox runs, as a disk that
// is not mounted for a moment, and brings it back.
func TestReloadKeepsSecrets(t *testing.T) {
	house(t)
	c, _ := loadText(t, "domain: zero.example")
	if err := c.Secrets(true); err != nil {
		t.Fatal(err)
	}
	password, secret := c.TURN.Users[0].Password, c.TURN.Secret
	same := func(c *Config) {
		t.Helper()
		if c.TURN.Users[0].Password != password || c.TURN.Secret != secret {
			t.Error("a generated secret was replaced")
		}
	}
	w := startWatch(t, c)

	rename(t, "state", "away")
	write(t, "config.yaml", "domain: one.example")
	same(w.domain("one.example"))
	write(t, "config.yaml", "domain: two.example\nturn: {users: [{name: admin}, {name: bob}]}")
	same(w.domain("two.example"))
	for _, name := range []string{"password-admin", "turn-secret"} {
		path := filepath.Join("state", name)
		if lines := w.log.with(path); len(lines) != 2 || !strings.Contains(lines[0], "level=WARN") {
			t.Errorf("the log says of %s: %v", path, lines)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is there: the next start would make none", path)
		}
	}
	if lines := w.log.with("password-bob"); len(lines) != 1 || !strings.Contains(lines[0], "a secret was made") {
		t.Errorf("the log says of bob: %v", lines)
	}
	if lines := append(w.log.with(password), w.log.with(secret)...); len(lines) > 0 {
		t.Errorf("the log has a secret: %v", lines)
	}

	if err := os.RemoveAll("state"); err != nil {
		t.Fatal(err)
	}
	rename(t, "away", "state")
	write(t, "config.yaml", "domain: three.example")
	same(w.domain("three.example"))
	w.faults(0)
}

// TestReloadOfAnotherStateDir holds that another directory has its own secrets.
func TestReloadOfAnotherStateDir(t *testing.T) {
	house(t)
	c, _ := loadText(t, "domain: zero.example")
	if err := c.Secrets(true); err != nil {
		t.Fatal(err)
	}
	w := startWatch(t, c)
	write(t, "config.yaml", "domain: one.example\nstate_dir: other")
	if got := w.domain("one.example").TURN; got.Secret == c.TURN.Secret || len(got.Secret) != 64 {
		t.Errorf("secret of %d letters, the same: %v", len(got.Secret), got.Secret == c.TURN.Secret)
	}
}

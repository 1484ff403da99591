package config

import (
	"net/netip"
	"testing"
	"time"
)

// TestEnvironment holds that a variable goes before the file, and the file before
// the default.
func TestEnvironment(t *testing.T) {
	house(t)
	for name, value := range map[string]string{
		"ICEBOX_DOMAIN":                           "env.example",
		"ICEBOX_PUBLIC_IPV4":                      "203.0.113.7",
		"ICEBOX_PUBLIC_TURN_PORT":                 "13478",
		"ICEBOX_TURN_RELAY_PORTS":                 "60000-60099",
		"ICEBOX_TURN_LIMITS_ALLOCATIONS":          "5",
		"ICEBOX_TURN_LIMITS_UNAUTHENTICATED_RATE": "2.5",
		"ICEBOX_TURN_SECRET":                      "0123456789abcdef",
		"ICEBOX_TURN_DRAIN":                       "1m",
		"ICEBOX_SIGNALING_SEED_ROOM":              "false",
		"ICEBOX_LOG_LEVEL":                        "", // as good as none
	} {
		t.Setenv(name, value)
	}
	c, warnings := loadText(t, "domain: file.example\nlog: {level: warn}\nturn: {limits: {allocations: 7, permissions: 9}}")
	if len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
	want := Default()
	want.Path = c.Path
	want.Domain, want.TURN.Realm = "env.example", "env.example"
	want.Public.IPv4, want.Public.TURNPort = netip.MustParseAddr("203.0.113.7"), 13478
	want.TURN.Relay.Ports = PortRange{60000, 60099}
	want.TURN.Limits.Allocations, want.TURN.Limits.Permissions, want.TURN.Limits.Unauthenticated.Rate = 5, 9, 2.5
	want.TURN.Secret, want.TURN.Drain = "0123456789abcdef", time.Minute
	want.Signaling.SeedRoom = false
	want.Log.Level = "warn"
	equal(t, c, want)
}

func TestEnvironmentWithoutFile(t *testing.T) {
	house(t)
	t.Setenv("ICEBOX_SIGNALING_LISTEN", "127.0.0.1:0")
	c, _, err := Load("")
	if err != nil || c.Signaling.Listen != "127.0.0.1:0" {
		t.Errorf("listen %v, error %v", c, err)
	}
}

// TestBadEnvironment holds that a fault names its variable, after all of the file.
func TestBadEnvironment(t *testing.T) {
	house(t)
	t.Setenv("ICEBOX_TURN_RELAY_PORTS", "50999-50000")
	t.Setenv("ICEBOX_ADMIN_LISTEN", "127.0.0.1:3002")
	t.Setenv("ICEBOX_TURN_SECRET", "hunter2")
	t.Setenv("ICEBOX_TURN_STUN_ALTERNATE_LISTEN", "192.0.2.1:3479")
	write(t, "config.yaml", "turn: {drain: x}")
	_, _, err := Load("config.yaml")
	want := `config.yaml:1: turn.drain: "x" is there, expected a duration from 0s to 1h, such as 30s, 5m or 12h
ICEBOX_ADMIN_LISTEN: admin.listen: tcp port 3002 is there, but signaling.listen has it (by default), expected another port or address
ICEBOX_TURN_RELAY_PORTS: turn.relay.ports: "50999-50000" is there, upside down, expected MIN-MAX, ports from 1024 to 65535; did you mean 50000-50999?
ICEBOX_TURN_SECRET: turn.secret: a value that is not shown is there, 7 bytes long, expected at least 16 and at most 256 bytes
ICEBOX_TURN_STUN_ALTERNATE_LISTEN: turn.stun_alternate.listen: 192.0.2.1:3479 is there: not available yet, expected the default ""`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestUnknownVariables(t *testing.T) {
	house(t)
	t.Setenv("ICEBOX_TURN_RELAY_PORT", "1")
	t.Setenv("ICEBOX_TURN_USERS", "ann")
	t.Setenv("ICEBOX_FLY", "1")
	_, warnings, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, w := range warnings {
		found[w.Key] = w.Message
	}
	for name, want := range map[string]string{
		"ICEBOX_TURN_RELAY_PORT": "no key has this variable, so it does nothing; did you mean ICEBOX_TURN_RELAY_PORTS?",
		"ICEBOX_TURN_USERS":      "turn.users is a list and stands in the file only, so this variable does nothing",
		"ICEBOX_FLY":             "no key has this variable, so it does nothing",
	} {
		if found[name] != want {
			t.Errorf("%s: %q, want %q", name, found[name], want)
		}
	}
}

package signaling

import (
	"net/http"
	"testing"
)

func TestOrigins(t *testing.T) {
	table := []struct {
		allowed []string
		origin  string
		want    bool
	}{
		{[]string{"*"}, "https://evil.example", true},
		{[]string{"*"}, "null", true},
		{[]string{"*"}, "", true},
		{nil, "https://home.example", false},
		{[]string{"https://home.example"}, "https://home.example", true},
		{[]string{"https://home.example:3002"}, "https://home.example:3002", true},
		{[]string{"https://home.example:3002"}, "https://home.example", false},
		{[]string{"https://home.example"}, "https://home.example:3002", false},
		{[]string{"https://home.example"}, "http://home.example", false},
		{[]string{"https://home.example"}, "https://a.home.example", false},
		{[]string{"https://home.example"}, "https://home.example.evil.example", false},
		{[]string{"https://home.example"}, "https://home.example@evil.example", false},
		{[]string{"https://home.example"}, "https://home.example/path", false},
		{[]string{"https://home.example"}, "null", false},
		{[]string{"https://home.example"}, "", false},
		{[]string{"https://home.example"}, "*", false},
		{[]string{"https://a.example", "https://b.example:8443"}, "https://b.example:8443", true},
		{[]string{"https://a.example", "*"}, "https://b.example:8443", true},
	}
	for _, row := range table {
		h := http.Header{"Origin": {row.origin}}
		if got := origins(row.allowed).allow(h); got != row.want {
			t.Errorf("%q with %q: %v, want %v", row.origin, row.allowed, got, row.want)
		}
	}
}

func TestOriginHeaders(t *testing.T) {
	o := origins{"https://home.example"}
	if !o.allow(http.Header{}) {
		t.Error("what is no browser was refused")
	}
	two := http.Header{"Origin": {"https://home.example", "https://home.example"}}
	if o.allow(two) {
		t.Error("two Origin headers were allowed")
	}
}

func TestForeignOriginIsRefused(t *testing.T) {
	cfg := testConfig()
	cfg.Signaling.Origins = []string{"https://home.example"}
	s, url := start(t, cfg)
	if code := status(t, url, http.Header{"Origin": {"https://evil.example"}}); code != http.StatusForbidden {
		t.Errorf("a foreign origin got %d", code)
	}
	if n := refused(s, refuseOrigin); n != 1 {
		t.Errorf("origin was counted %d times", n)
	}
	if code := status(t, url, http.Header{"Origin": {"https://home.example"}}); code != http.StatusSwitchingProtocols {
		t.Errorf("the own origin got %d", code)
	}
	cfg = testConfig()
	cfg.Signaling.Origins = []string{"https://evil.example"}
	s.Update(cfg)
	if code := status(t, url, http.Header{"Origin": {"https://home.example"}}); code != http.StatusForbidden {
		t.Errorf("an origin that was removed got %d", code)
	}
}

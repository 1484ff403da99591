package web

import (
	"strings"
	"testing"

	"icebox/config"
)

func TestSecurityHeaders(t *testing.T) {
	b := startBox(t, nil)
	want := map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"X-Frame-Options":              "DENY",
	}
	for _, path := range []string{"/", "/1cs1cs", "/r/kitchen", "/api/ice", "/healthz", "/assets/style.css", "/nowhere", "/seed/a"} {
		res, _ := b.ask("GET", path)
		for name, value := range want {
			if got := res.Header.Get(name); got != value {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		for _, part := range []string{"camera=(self)", "microphone=(self)", "display-capture=(self)"} {
			if !strings.Contains(res.Header.Get("Permissions-Policy"), part) {
				t.Errorf("%s: Permissions-Policy lacks %s", path, part)
			}
		}
		policy := res.Header.Get("Content-Security-Policy")
		for _, part := range []string{
			"default-src 'none'", "script-src 'self';", "style-src 'self';",
			"connect-src 'self' wss://" + b.Addr().String() + " ws://" + b.Addr().String() + ";",
			"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'",
		} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: policy lacks %q: %s", path, part, policy)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
		for _, name := range []string{"Strict-Transport-Security", "Access-Control-Allow-Origin", "Server"} {
			if got := res.Header.Get(name); got != "" {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
}

func TestContentPolicyNamesValidHostsOnly(t *testing.T) {
	for _, c := range []struct {
		url, host, connect string
	}{
		{"", "home.example:3002", "'self' wss://home.example:3002 ws://home.example:3002"},
		{"", "[2001:db8::1]:3002", "'self' wss://[2001:db8::1]:3002 ws://[2001:db8::1]:3002"},
		{"", "x; script-src *", "'self'"},
		{"", "", "'self'"},
		{"https://out.example:8443/call", "in.example", "'self' wss://in.example ws://in.example wss://out.example:8443"},
		{"https://out.example", "out.example", "'self' wss://out.example ws://out.example"},
	} {
		cfg := &config.Config{Public: config.Public{URL: c.url}}
		if got := contentPolicy(cfg, c.host); !strings.Contains(got, "; connect-src "+c.connect+"; ") {
			t.Errorf("%q, %q: %s", c.url, c.host, got)
		}
	}
}

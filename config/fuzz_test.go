package config

import (
	"errors"
	"testing"
)

// FuzzLoad looks for files that end the process, for errors without a place, and
// for accepted files whose description is refused or means something else.
func FuzzLoad(f *testing.F) {
	for _, bad := range badFiles() {
		f.Add([]byte(bad.file))
	}
	for _, text := range []string{"", "{}", "domain: home.example", "turn: {users: [{name: ann, password: 007}]}",
		"public: {ipv4: 203.0.113.7, url: \"https://a:1/b\", interval: 61m}", "turn: &a {relay: *a}", "a: &a [*a, *a]",
		"turn: {relay: {ports: 2000-3000, address: \"::1\"}, limits: {unauthenticated: {rate: 0.25}}}",
		"signaling: {origins: [\"https://a\"], listen: \"[::1]:0\"}\nadmin: {listen: \"\"}", "tls: {cert: a, key: \"\\u2028\"}"} {
		f.Add([]byte(text))
	}
	house(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		write(t, "config.yaml", string(data))
		c, _, err := Load("config.yaml")
		if err == nil {
			readsBack(t, c)
			return
		}
		var all *Errors
		if !errors.As(err, &all) || len(all.List) == 0 || c != nil {
			t.Fatalf("Load gave %v and %#v", c, err)
		}
		for _, one := range all.List {
			if one.Line == 0 || one.Message == "" {
				t.Errorf("%q: no line or message in %q", data, one)
			}
		}
	})
}

package web

import (
	"testing"
)

func TestPageURL(t *testing.T) {
	for _, c := range []struct {
		scheme, host string
		port         int
		want         string
	}{
		{"https", "home.example", 3002, "https://home.example:3002"},
		{"https", "home.example", 443, "https://home.example"},
		{"http", "192.0.2.1", 80, "http://192.0.2.1"},
		{"http", "192.0.2.1", 443, "http://192.0.2.1:443"},
		{"https", "2001:db8::1", 3002, "https://[2001:db8::1]:3002"},
		{"https", "2001:db8::1", 443, "https://[2001:db8::1]"},
	} {
		if got := PageURL(c.scheme, c.host, c.port); got != c.want {
			t.Errorf("%s %s %d: %s, want %s", c.scheme, c.host, c.port, got, c.want)
		}
	}
}

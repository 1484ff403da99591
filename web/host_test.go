package web

import (
	"strings"
	"testing"

	"icebox/config"
)

func TestHostname(t *testing.T) {
	for header, want := range map[string]string{
		"home.example":                 "home.example",
		"home.example:3002":            "home.example",
		"HOME.example.":                "HOME.example.",
		"my_box:3002":                  "my_box",
		"192.0.2.1:3002":               "192.0.2.1",
		"[2001:db8::1]:3002":           "2001:db8::1",
		"[2001:db8::1]":                "2001:db8::1",
		"xn--e6q212bhn0c.xn--6qq986b3": "xn--e6q212bhn0c.xn--6qq986b3",
		"2001:db8::1":                  "",
		"[home.example]:3002":          "",
		"[192.0.2.1]":                  "",
		"[fe80::1%eth0]:3002":          "",
		"home.example:":                "",
		"home.example:0":               "",
		"home.example:65536":           "",
		"home.example:http":            "",
		"a b":                          "",
		"a;b":                          "",
		"a,b":                          "",
		"a/b":                          "",
		"user@home.example":            "",
		"家.example":                    "",
		"-a.example":                   "",
		"a..example":                   "",
		".":                            "",
		"":                             "",
		strings.Repeat("a.", 127):      "",
		strings.Repeat("a", 64):        "",
	} {
		got, err := hostname(header)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", header, got, err, want)
		}
	}
}

func TestPublicHost(t *testing.T) {
	for _, c := range []struct{ domain, request, want string }{
		{"", "192.0.2.1:3002", "192.0.2.1"},
		{"", "2001:db8::1", "2001:db8::1"},
		{"", "[2001:db8::1]:3002", "2001:db8::1"},
		{"", "nas.local", "nas.local"},
		{"", "a\"b", ""},
		{"home.example", "192.0.2.1:3002", "home.example"},
		{"我的家.中国", "192.0.2.1", "xn--fctt1mz8s.xn--fiqs8s"},
		{"XN--FIQS8S", "garbage\"", "xn--fiqs8s"},
		{"192.0.2.7", "nas.local", "192.0.2.7"},
	} {
		got, err := PublicHost(&config.Config{Domain: c.domain}, c.request)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q, %q: %q, %v; want %q", c.domain, c.request, got, err, c.want)
		}
	}
}

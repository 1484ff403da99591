package web

import (
	"net/netip"
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

// TestHostsOf: who names a private address of the box is told to use it as well,
// where it is not the one that all are told.
func TestHostsOf(t *testing.T) {
	for _, c := range []struct{ domain, request, public, lan string }{
		{"home.example", "192.168.1.20:3002", "home.example", "192.168.1.20"},
		{"home.example", "10.0.0.9", "home.example", "10.0.0.9"},
		{"home.example", "100.64.0.9:3002", "home.example", "100.64.0.9"},
		{"home.example", "[fd00::20]:3002", "home.example", "fd00::20"},
		{"home.example", "[::ffff:192.168.1.20]:3002", "home.example", "192.168.1.20"},
		{"192.0.2.7", "192.168.1.20:3002", "192.0.2.7", "192.168.1.20"},
		{"192.168.1.20", "192.168.1.20:3002", "192.168.1.20", ""},
		{"", "192.168.1.20:3002", "192.168.1.20", ""},
		{"home.example", "home.example:3002", "home.example", ""},
		{"home.example", "nas.local:3002", "home.example", ""},
		{"home.example", "127.0.0.1:3002", "home.example", ""},
		{"home.example", "[::1]:3002", "home.example", ""},
		{"home.example", "169.254.1.2:3002", "home.example", ""},
		{"home.example", "198.51.100.7:3002", "home.example", ""},
		{"home.example", "192.168.1.20:http", "home.example", ""},
		{"home.example", "a,b", "home.example", ""},
		{"", "a,b", "", ""},
	} {
		want := Hosts{Public: c.public}
		if c.lan != "" {
			want.LAN = netip.MustParseAddr(c.lan)
		}
		got, err := HostsOf(&config.Config{Domain: c.domain}, c.request)
		if got != want || (err == nil) != (c.public != "") {
			t.Errorf("%q, %q: %v, %v; want %v", c.domain, c.request, got, err, want)
		}
	}
}

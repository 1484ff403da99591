package main

import (
	"bytes"
	"net/netip"
	"testing"

	"icebox/config"
)

func TestCredHost(t *testing.T) {
	v4, v6 := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("2001:db8::7")
	lan := lanAddresses()[0].ip.String()
	for _, c := range []struct {
		name   string
		domain string
		public config.Public
		want   string
		warns  bool
	}{
		{"the domain", "bücher.example", config.Public{IPv4: v4}, "xn--bcher-kva.example", false},
		{"a static address", "", config.Public{IPv4: v4, IPv6: v6}, "198.51.100.7", false},
		{"a static IPv6 address", "", config.Public{IPv6: v6}, "2001:db8::7", false},
		{"a static address that is not used", "", config.Public{Source: "interface", IPv4: v4}, lan, true},
		{"neither", "", config.Public{}, lan, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stderr bytes.Buffer
			a := &app{stderr: &stderr}
			got, err := a.credHost(&config.Config{Domain: c.domain, Public: c.public})
			if err != nil || got != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
			if warned := stderr.Len() > 0; warned != c.warns {
				t.Errorf("stderr has %q", stderr.String())
			}
		})
	}
}

func TestChooseUser(t *testing.T) {
	two := &config.Config{}
	two.TURN.Users = []config.User{{Name: "admin"}, {Name: "bob"}}
	for _, c := range []struct {
		cfg        *config.Config
		name, want string
		err        string
	}{
		{two, "", "admin", ""},
		{two, "bob", "bob", ""},
		{two, "Bob", "", "no user Bob in turn.users; there are admin, bob"},
		{&config.Config{}, "", "", "turn.users is empty: there is nobody to make credentials for"},
	} {
		got, err := chooseUser(c.cfg, c.name)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("%q: %q, %v", c.name, got, err)
		}
	}
}

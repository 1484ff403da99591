package main

import (
	"strings"
	"testing"

	"icebox/natlab"
)

// TestLANAddresses: which address of a box is taken for the one that its router
// knows.
func TestLANAddresses(t *testing.T) {
	for _, c := range []struct {
		name     string
		commands []string // of ip, in a host with 203.0.113.10 and 2001:db8::10
		want     string
	}{
		{"no network", []string{"link set eth0 down"}, "127.0.0.1"},
		{"the one of the default route", nil, "203.0.113.10"},
		{"bogons are refused", []string{"route add unreachable 192.0.2.0/24"}, "203.0.113.10"},
		{"a full tunnel", []string{
			"tuntap add tun0 mode tun", "address add 10.8.0.2/24 dev tun0", "link set tun0 up",
			"route add 0.0.0.0/1 dev tun0", "route add 128.0.0.0/1 dev tun0",
		}, "203.0.113.10"},
		{"a dial-up line", []string{
			"tuntap add ppp0 mode tun", "address add 198.51.100.7/32 dev ppp0", "link set ppp0 up",
			"route replace default dev ppp0",
		}, "198.51.100.7"},
		{"nothing but a tunnel", []string{
			"link set eth0 down",
			"tuntap add tun0 mode tun", "address add 10.8.0.2/24 dev tun0", "link set tun0 up",
		}, "10.8.0.2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := natlab.New(t).Host("home", "203.0.113.10", "2001:db8::10")
			for _, line := range c.commands {
				if out, err := home.Command(t.Context(), "ip", strings.Fields(line)...).CombinedOutput(); err != nil {
					t.Fatalf("ip %s: %v\n%s", line, err, out)
				}
			}
			home.Do(func() error {
				if got := lanAddresses(); got[0].ip.String() != c.want {
					t.Errorf("got %v, want %s first", got, c.want)
				}
				return nil
			})
		})
	}
}

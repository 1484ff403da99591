package hostnet

import (
	"net/netip"
	"testing"
)

func TestHousehold(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1":             "192.0.2.1",
		"::ffff:192.0.2.1":      "192.0.2.1",
		"2001:db8:1:2:3:4:5:6":  "2001:db8:1:2::",
		"2001:db8:1:2::":        "2001:db8:1:2::",
		"2001:db8:1:3:3:4:5:6":  "2001:db8:1:3::",
		"fe80::1%eth0":          "fe80::",
		"::ffff:192.0.2.1%eth0": "192.0.2.1",
	} {
		if got := Household(netip.MustParseAddr(text)).String(); got != want {
			t.Errorf("%s counts for %s, want %s", text, got, want)
		}
	}
	if got := Household(netip.Addr{}); got.IsValid() {
		t.Errorf("no address counts for %s", got)
	}
}

func TestIsPrivate(t *testing.T) {
	for text, want := range map[string]bool{
		"10.0.0.1": true, "172.16.0.1": true, "172.32.0.1": false, "192.168.1.1": true,
		"100.63.255.255": false, "100.64.0.0": true, "100.127.255.255": true, "100.128.0.0": false,
		"fd00::1": true, "2001:db8::1": false, "198.51.100.7": false,
	} {
		if got := IsPrivate(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	if IsPrivate(netip.Addr{}) {
		t.Error("no address is a private one")
	}
}

func TestOnInternet(t *testing.T) {
	for text, want := range map[string]bool{
		"198.51.100.7": true, "192.0.2.1": true, "203.0.113.7": true, "::ffff:203.0.113.7": true, "2001:db8::1": true,
		"10.0.0.1": false, "192.168.1.1": false, "100.64.0.1": false, "fd00::1": false, "::ffff:10.0.0.1": false,
		"127.0.0.1": false, "169.254.1.1": false, "0.0.0.0": false, "fe80::1": false, "ff02::1": false,
		"192.0.0.2": false, "192.0.1.1": true, "198.17.255.255": true, "198.18.0.1": false, "198.19.255.255": false,
		"198.20.0.0": true, "192.88.99.1": false, "223.255.255.255": true, "240.0.0.1": false, "255.255.255.255": false,
	} {
		if got := OnInternet(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	if OnInternet(netip.Addr{}) {
		t.Error("no address is on the internet")
	}
}

func TestIsShared(t *testing.T) {
	for text, want := range map[string]bool{
		"100.64.0.1": true, "100.127.255.255": true, "100.128.0.0": false, "192.0.0.2": true, "192.0.2.1": false,
		"10.0.0.1": false, "2001:db8::1": false,
	} {
		if got := IsShared(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestIsContainer(t *testing.T) {
	for name, want := range map[string]bool{
		"docker0": true, "br-0123456789ab": true, "veth1a2b3c": true, "virbr0": true, "podman1": true,
		"eth0": false, "br-lan": false, "br0": false, "br-0123456789xy": false, "br-0123456789abc": false, "wlan0": false, "": false,
	} {
		if got := IsContainer(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}

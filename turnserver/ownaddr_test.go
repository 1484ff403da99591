package turnserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestReadOwnAddresses(t *testing.T) {
	own, err := readOwnAddresses()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(own.addrs, addr("127.0.0.1")) {
		t.Errorf("no 127.0.0.1 in %v", own.addrs)
	}
	for _, a := range own.addrs {
		if a.Zone() != "" || a.Is4In6() {
			t.Errorf("%v has a zone or is mapped", a)
		}
	}
	again, err := readOwnAddresses()
	if err != nil || !own.equal(again) {
		t.Errorf("read twice: %v, then %v, %v", own, again, err)
	}
}

func TestPrefixOf(t *testing.T) {
	tests := []struct {
		ip   net.IP
		mask net.IPMask
		want string
	}{
		{net.IPv4(192, 168, 1, 20), net.CIDRMask(24, 32), "192.168.1.20/24"},
		{net.IPv4(192, 168, 1, 20).To4(), net.CIDRMask(24, 32), "192.168.1.20/24"},
		{net.IPv4(192, 168, 1, 20), net.CIDRMask(120, 128), "192.168.1.20/24"},
		{net.ParseIP("2a00::1"), net.CIDRMask(64, 128), "2a00::1/64"},
		{net.ParseIP("2a00::1"), net.IPMask{255, 0, 255, 0}, "invalid Prefix"},
		{nil, net.CIDRMask(24, 32), "invalid Prefix"},
	}
	for _, tt := range tests {
		if got := prefixOf(&net.IPNet{IP: tt.ip, Mask: tt.mask}).String(); got != tt.want {
			t.Errorf("prefixOf(%v, %v) = %s, want %s", tt.ip, tt.mask, got, tt.want)
		}
	}
}

func TestOwnAddressesEqual(t *testing.T) {
	one := ownAddressesOf(prefixes("10.0.0.1/24", "2a00::1/64", "10.0.0.1/24"))
	tests := []struct {
		other string
		equal bool
	}{
		{"2a00::1/64 10.0.0.1/24", true},
		{"2a00::1/64", false},
		{"2a00::1/64 10.0.0.2/24", false},
		{"2a00::1/64 10.0.0.1/16", false},
	}
	for _, tt := range tests {
		if got := one.equal(ownAddressesOf(prefixes(strings.Fields(tt.other)...))); got != tt.equal {
			t.Errorf("equal to %s: %v", tt.other, got)
		}
	}
	if got := ownAddressesOf([]netip.Prefix{{}}); len(got.addrs)+len(got.prefixes) != 0 {
		t.Errorf("an invalid prefix makes %v", got)
	}
}

// TestPollOwnAddresses lets addresses change, and reading them fail, under the
// eyes of the watcher.
func TestPollOwnAddresses(t *testing.T) {
	home, away := ownAddressesOf(prefixes("192.168.1.1/24")), ownAddressesOf(prefixes("10.0.0.1/8"))
	down := errors.New("out of descriptors")
	type reading struct {
		own ownAddresses
		err error
	}
	script := []reading{{home, nil}, {home, nil}, {away, nil}, {ownOf(), down}, {ownOf(), down}, {away, nil}, {ownOf(), down}, {ownOf(), nil}, {ownOf(), nil}}
	synctest.Test(t, func(t *testing.T) {
		var logged strings.Builder
		var seen []ownAddresses
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(len(script))*time.Second-time.Millisecond)
		defer cancel()
		reads := 0
		pollOwnAddresses(ctx, time.Second, slog.New(slog.NewTextHandler(&logged, nil)),
			func() (ownAddresses, error) {
				r := script[reads]
				reads++
				return r.own, r.err
			},
			func(o ownAddresses) { seen = append(seen, o) })
		if want := []ownAddresses{home, away, ownOf()}; !slices.EqualFunc(seen, want, ownAddresses.equal) {
			t.Errorf("told of %v, want %v", seen, want)
		}
		if reads != len(script) {
			t.Errorf("%d readings, want %d", reads, len(script))
		}
		if n := strings.Count(logged.String(), down.Error()); n != 2 {
			t.Errorf("two rows of failures are logged %d times", n)
		}
	})
}

func ownOf(list ...string) ownAddresses { return ownAddressesOf(prefixes(list...)) }

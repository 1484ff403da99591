package turnserver

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"icebox/config"
	"icebox/natlab"
)

// TestCheckRelayAddress: an address that the host has is good, even one that can't be
// bound yet since its duplicate is looked for (RFC 4862 section 5.4), and no other.
func TestCheckRelayAddress(t *testing.T) {
	lab := natlab.New(t)
	host := lab.Host("box", "198.51.100.7")
	const fresh = "2001:db8:9::5"
	host.Do(func() error { return os.WriteFile("/proc/sys/net/ipv6/conf/eth0/accept_dad", []byte("1"), 0) })
	out, err := host.Command(t.Context(), "ip", "addr", "add", fresh+"/64", "dev", "eth0").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	host.Do(func() error {
		if conn, err := net.ListenPacket("udp6", "["+fresh+"]:0"); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Errorf("it can be bound already: %v, %v", conn, err)
		}
		for address, good := range map[string]bool{"": true, fresh: true, "198.51.100.7": true, "198.51.100.8": false, "2001:db8:9::6": false} {
			var relay config.Relay
			if address != "" {
				relay.Address = netip.MustParseAddr(address)
			}
			err := CheckRelayAddress(relay)
			if good != (err == nil) || !good && !strings.Contains(err.Error(), address) {
				t.Errorf("%q: %v", address, err)
			}
		}
		return nil
	})
}

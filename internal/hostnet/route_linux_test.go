package hostnet

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"testing"
	"time"

	"icebox/natlab"
)

// TestOutward6Lasts: the address towards the internet is one that stays, on a machine
// whose connections leave from privacy addresses.
func TestOutward6Lasts(t *testing.T) {
	lab := natlab.New(t)
	box := lab.Host("box", "203.0.113.5", "2001:db8::5")
	stays := netip.MustParseAddr("2001:db8:7::5")
	err := box.Do(func() error {
		for name, value := range map[string]string{"use_tempaddr": "2", "dad_transmits": "0"} {
			if err := os.WriteFile("/proc/sys/net/ipv6/conf/eth0/"+name, []byte(value), 0); err != nil {
				return err
			}
		}
		if err := exec.Command("ip", "addr", "del", "2001:db8::5/128", "dev", "eth0").Run(); err != nil {
			return err
		}
		return exec.Command("ip", "addr", "add", stays.String()+"/64", "dev", "eth0", "nodad", "mngtmpaddr").Run()
	})
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for leavesFrom(t, box) == stays { // until the privacy address is there
		if time.Now().After(deadline) {
			t.Fatal("the machine has no privacy address")
		}
		time.Sleep(10 * time.Millisecond)
	}
	box.Do(func() error {
		if got := Outward6(); got != stays {
			t.Errorf("%v, want %v", got, stays)
		}
		return nil
	})
}

// leavesFrom is the address that a machine's connections to the internet have.
func leavesFrom(t *testing.T, box *natlab.Host) (from netip.Addr) {
	t.Helper()
	if err := box.Do(func() error {
		c, err := net.Dial("udp6", "[2001:7fd::1]:9")
		if err != nil {
			return err
		}
		defer c.Close()
		from = c.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return from
}

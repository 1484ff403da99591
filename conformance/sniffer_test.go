//go:build linux

package conformance

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icebox/natlab"
)

// sighting is a UDP packet (or its first fragment) that some interface of a
// host has sent or received.
type sighting struct {
	from, to     netip.AddrPort
	payload      []byte
	dontFragment bool
}

// sniff watches every interface of a host, loopback included, for UDP packets
// whose payload begins with the mark. The function that it returns stops, and
// gives what was seen.
func sniff(t testing.TB, host *natlab.Host, mark []byte) func() []sighting {
	t.Helper()
	fd := -1
	err := host.Do(func() (err error) {
		all := binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL})
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(all))
		return err
	})
	if err != nil {
		t.Fatalf("a packet socket: %v", err)
	}
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 20000})
	stop := make(chan struct{})
	var seen []sighting
	var wait sync.WaitGroup
	wait.Go(func() {
		defer unix.Close(fd)
		seen = watch(fd, mark, stop)
	})
	end := sync.OnceFunc(func() { close(stop); wait.Wait() })
	t.Cleanup(end)
	return func() []sighting {
		time.Sleep(quiet) // what was sent just now has to get there
		end()
		return seen
	}
}

func watch(fd int, mark []byte, stop chan struct{}) (seen []sighting) {
	buf := make([]byte, 65536)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if s, ok := dissect(buf[:max(n, 0)]); err == nil && ok && bytes.HasPrefix(s.payload, mark) {
			s.payload = bytes.Clone(s.payload)
			seen = append(seen, s)
		}
		select {
		case <-stop:
			return seen
		default:
		}
	}
}

// dissect reads the addresses of an IP packet that holds UDP.
func dissect(b []byte) (s sighting, ok bool) {
	switch {
	case len(b) >= 28 && b[0]>>4 == 4 && b[9] == protoUDP:
		head := int(b[0]&15) * 4
		s.dontFragment = b[6]&0x40 != 0
		return s.ports(netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20])), b[head:])
	case len(b) >= 48 && b[0]>>4 == 6 && b[6] == protoUDP:
		s.dontFragment = true // nobody on the way can
		return s.ports(netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40])), b[40:])
	}
	return s, false
}

func (s sighting) ports(from, to netip.Addr, udp []byte) (sighting, bool) {
	if len(udp) < 8 {
		return s, false
	}
	s.from = netip.AddrPortFrom(from, binary.BigEndian.Uint16(udp))
	s.to = netip.AddrPortFrom(to, binary.BigEndian.Uint16(udp[2:]))
	s.payload = udp[8:]
	return s, true
}

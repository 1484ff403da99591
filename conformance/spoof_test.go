//go:build linux

package conformance

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"icebox/natlab"
)

// spoofer sends packets with any source address.
type spoofer struct{ fd int }

func rawSocket(t testing.TB, host *natlab.Host) *spoofer {
	t.Helper()
	s := &spoofer{fd: -1}
	err := host.Do(func() (err error) {
		s.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		return err
	})
	if err != nil {
		t.Fatalf("a raw socket: %v", err)
	}
	t.Cleanup(func() { unix.Close(s.fd) })
	return s
}

func (s *spoofer) spoof(t testing.TB, from, to netip.AddrPort, payload []byte) {
	t.Helper()
	err := unix.Sendto(s.fd, ipv4UDP(from, to, payload), 0, &unix.SockaddrInet4{Addr: to.Addr().As4()})
	if err != nil {
		t.Fatalf("send a packet as %v: %v", from, err)
	}
}

// ipv4UDP is a UDP datagram in an IPv4 packet, with whatever source.
func ipv4UDP(from, to netip.AddrPort, payload []byte) []byte {
	b := make([]byte, 28, 28+len(payload))
	b[0], b[8], b[9] = 0x45, 64, protoUDP
	binary.BigEndian.PutUint16(b[2:], uint16(28+len(payload)))
	src, dst := from.Addr().As4(), to.Addr().As4()
	copy(b[12:], src[:])
	copy(b[16:], dst[:])
	binary.BigEndian.PutUint16(b[20:], from.Port())
	binary.BigEndian.PutUint16(b[22:], to.Port())
	binary.BigEndian.PutUint16(b[24:], uint16(8+len(payload)))
	return append(b, payload...) // without a checksum, as IPv4 allows
}

// TestSpoofedIndication: whoever fakes the address of a client with a session
// gets no further than that client could.
func TestSpoofedIndication(t *testing.T) {
	w := newWorld(t)
	s := &scene{world: w, box: start(t, w.box, setup{allow: peerRanges}), transport: udp}
	c, relay, p := s.relayed(t)
	stranger := s.stranger(t)
	raw := rawSocket(t, w.second)
	for _, m := range []*message{
		build(send, indication, attr(attrPeerAddress), payload(mark("none"))),
		build(send, indication, peerAddress(stranger.addr), payload(mark("stranger"))),
		build(send, indication, peerAddress(netip.MustParseAddrPort("127.0.0.1:9")), payload(mark("loopback"))),
	} {
		raw.spoof(t, c.local(), s.box.address(udp), m.raw)
	}
	stranger.wantNothing(t)
	p.wantNothing(t)
	c.wantRelayed(relay, p)
	b := mark("the control: the same way, to whom the client may send")
	raw.spoof(t, c.local(), s.box.address(udp), build(send, indication, peerAddress(p.addr), payload(b)).raw)
	p.wantPacket(t, relay, b)
}

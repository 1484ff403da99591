package natlab_test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"icebox/natlab"
)

// grace is how long a packet that must not come is waited for.
const grace = 150 * time.Millisecond

// socket is a UDP socket in a lab.
type socket struct {
	t *testing.T
	net.PacketConn
}

type node interface {
	ListenPacket(network, address string) (net.PacketConn, error)
}

// open opens a UDP socket of a node, closed with the test.
func open(t *testing.T, n node, address string) socket {
	t.Helper()
	conn, err := n.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return socket{t, conn}
}

func (s socket) addr() netip.AddrPort { return s.LocalAddr().(*net.UDPAddr).AddrPort() }

// on gives the address that the socket has on a node with one address.
func (s socket) on(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, s.addr().Port()) }

func (s socket) send(to netip.AddrPort, text string) {
	s.t.Helper()
	if _, err := s.WriteTo([]byte(text), net.UDPAddrFromAddrPort(to)); err != nil {
		s.t.Fatalf("sending to %v: %v", to, err)
	}
}

// read waits for one packet.
func (s socket) read(wait time.Duration) (text string, from netip.AddrPort, ok bool) {
	s.t.Helper()
	s.SetReadDeadline(time.Now().Add(wait))
	b := make([]byte, 1500)
	n, addr, err := s.ReadFrom(b)
	if err != nil {
		return "", netip.AddrPort{}, false
	}
	ap := addr.(*net.UDPAddr).AddrPort()
	return string(b[:n]), netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), true
}

// expect waits for this packet and gives its source.
func (s socket) expect(want string) netip.AddrPort {
	s.t.Helper()
	text, from, ok := s.read(5 * time.Second)
	if !ok || text != want {
		s.t.Fatalf("got %q (%v) from %v, want %q", text, ok, from, want)
	}
	return from
}

// silent makes sure that nothing comes.
func (s socket) silent() {
	s.t.Helper()
	if text, from, ok := s.read(grace); ok {
		s.t.Fatalf("got %q from %v, want nothing", text, from)
	}
}

// hears reports whether a packet comes; want only says how long to wait for one.
func (s socket) hears(want bool) bool {
	s.t.Helper()
	_, _, ok := s.read(patience(want))
	return ok
}

// patience is how long to wait for what should come, or should not.
func patience(want bool) time.Duration {
	if want {
		return 5 * time.Second
	}
	return grace
}

// remotes are two hosts with two sockets each.
type remotes [2][2]socket

func newRemotes(t *testing.T, lab *natlab.Lab) (r remotes) {
	t.Helper()
	for i := range r {
		h := lab.Host(fmt.Sprintf("remote%d", i), fmt.Sprintf("203.0.113.%d", 10+i))
		for j := range r[i] {
			r[i][j] = open(t, h, fmt.Sprintf("%s:%d", h.Addr(), 3478+j))
		}
	}
	return r
}

// outer lets the socket send to one remote and gives the source that it sees.
func outer(s, remote socket) netip.AddrPort {
	s.t.Helper()
	s.send(remote.addr(), "map")
	return remote.expect("map")
}

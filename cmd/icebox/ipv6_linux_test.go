package main

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"icebox/natlab"
)

// TestBoxWithIPv6Alone: its owner is told that browsers get no relay there, and
// that any public.ipv4 lets two of them meet at their relays is true.
func TestBoxWithIPv6Alone(t *testing.T) {
	lab := natlab.New(t)
	home, away := lab.Host("home", "2001:db8:1::10"), lab.Host("away", "2001:db8:2::10")
	box := func(config string) *process {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := home.Command(t.Context(), self)
		cmd.Env = append(cmd.Env, selfEnv()...)
		p := startCommand(t, configDir(t, config), cmd)
		p.until(t, &p.stderr, `"serving"`)
		return p
	}

	address := netip.AddrPortFrom(home.Addr6(), 3478)
	const user = "turn: {users: [{name: ann, password: xk3vqp81}]}\n"
	p := box(user)
	if _, err := relayFor(t, away, address); err == nil || !strings.Contains(err.Error(), "440") {
		t.Errorf("without an IPv4 address, allocating gives %v, want error 440", err)
	}
	if !strings.Contains(p.stdout.String(), "no IPv4 address") || !strings.Contains(p.stderr.String(), "no IPv4 address") {
		t.Error("its owner is not told")
	}
	p.cmd.Process.Kill()
	<-p.ended

	p = box(user + "public: {ipv4: 192.0.2.1}\n")
	if strings.Contains(p.stdout.String()+p.stderr.String(), "no IPv4 address") {
		t.Error("its owner is told although there is one")
	}
	var relays [2]net.PacketConn
	for i := range relays {
		var err error
		if relays[i], err = relayFor(t, away, address); err != nil {
			t.Fatal(err)
		}
	}
	for i, to := range relays { // both ways, as each permits the other by sending
		from := relays[1-i]
		buf := make([]byte, 16)
		to.SetReadDeadline(time.Now().Add(patience))
		for _, send := range []struct{ from, to net.PacketConn }{{to, from}, {from, to}} {
			if _, err := send.from.WriteTo([]byte("hello"), send.to.LocalAddr()); err != nil {
				t.Fatal(err)
			}
		}
		if n, addr, err := to.ReadFrom(buf); err != nil || string(buf[:n]) != "hello" || addr.String() != from.LocalAddr().String() {
			t.Errorf("%s reads %q of %v, %v", to.LocalAddr(), buf[:n], addr, err)
		}
	}
}

// disguise lets a client that knows IPv4 alone speak with a server of an IPv6
// address: it takes the server for another one.
type disguise struct {
	net.PacketConn
	server, shown net.Addr
}

func (d disguise) WriteTo(b []byte, _ net.Addr) (int, error) {
	return d.PacketConn.WriteTo(b, d.server)
}

func (d disguise) ReadFrom(b []byte) (int, net.Addr, error) {
	n, _, err := d.PacketConn.ReadFrom(b)
	return n, d.shown, err
}

// relayFor is the relay, an IPv4 one as browsers ask for, that ann gets for a
// client in host from the box at address.
func relayFor(t *testing.T, host *natlab.Host, address netip.AddrPort) (net.PacketConn, error) {
	t.Helper()
	conn, err := host.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	const shown = "198.51.100.1:3478"
	conn = disguise{conn, net.UDPAddrFromAddrPort(address), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(shown))}
	return openRelay(t, conn, shown, "ann", "xk3vqp81")
}

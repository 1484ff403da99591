//go:build linux

package conformance

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"icebox/natlab"
)

// TestSeveralAddresses: a box on a host with two IPv4 and two IPv6 addresses,
// whose listeners are wildcard ones, answers from the address that was asked and
// keeps apart what differs in that alone.
func TestSeveralAddresses(t *testing.T) {
	lab := natlab.New(t)
	addresses := []string{"198.51.100.10", "198.51.100.11", "2001:db8:1::10", "2001:db8:1::11"}
	w := worldAround(lab, lab.Host("box", addresses...))
	b := start(t, w.box, setup{allow: peerRanges})
	var all []netip.Addr
	for _, a := range addresses {
		all = append(all, netip.MustParseAddr(a))
	}
	var wait sync.WaitGroup
	for _, tr := range transports {
		asked := all[:2]
		if tr.ipv6 {
			asked = all[2:]
		}
		wait.Go(func() {
			t.Run(tr.name, func(t *testing.T) {
				checkAddresses(t, &scene{world: w, box: b, transport: tr}, asked[0], asked[1])
			})
		})
	}
	wait.Wait()
	t.Run("relays on the first", func(t *testing.T) {
		checkRelayAddresses(t, &scene{world: w, transport: udp, box: b}, all[0], all[2])
	})
	t.Run("relays on the second", func(t *testing.T) {
		second := start(t, w.box, setup{index: 1, public: addresses[1], public6: addresses[3], allow: peerRanges, relay: "40000-40999"})
		checkRelayAddresses(t, &scene{world: w, transport: udp, box: second}, all[1], all[3])
	})
}

// checkAddresses has one client address and port ask two addresses of the box.
// The sockets are connected, so that only what comes from there is received.
func checkAddresses(t *testing.T, s *scene, first, second netip.Addr) {
	c := s.dialTo(t, first, netip.AddrPortFrom(clientAddress(0, s.ipv6), 0))
	d := s.dialTo(t, second, c.local())
	for _, x := range []*client{c, d} {
		if got := x.ask(build(binding, request)).address(attrXORMappedAddress); got != c.local() {
			t.Errorf("XOR-MAPPED-ADDRESS %v, want %v", got, c.local())
		}
	}
	c.login()
	d.login()
	d.user = bob
	relayC, relayD := c.allocate(), d.allocate()
	if relayC == relayD {
		t.Fatalf("two 5-tuples have one relayed address: %v", relayC)
	}
	p, q := s.peer(t), s.stranger(t)
	c.permit(p)
	d.permit(q)
	c.wantRelayed(relayC, p)
	d.wantRelayed(relayD, q)
	c.wantCutOff(relayC, q) // the other's permission
	d.must(channelBind, channelNumber(0x4000), peerAddress(q.addr))
	d.wantBound(relayD, q, 0x4000)
	c.must(refresh, lifetime(0))
	d.wantBound(relayD, q, 0x4000)
	d.must(refresh, lifetime(0))
}

// checkRelayAddresses: relayed packets leave from the relayed address, even
// where it is not the one that the host itself would choose.
func checkRelayAddresses(t *testing.T, s *scene, four, six netip.Addr) {
	c := s.login(t)
	relays := c.must(allocate, transportUDP(), additionalFamily(familyIPv6)).addresses(attrRelayedAddress)
	if len(relays) != 2 || relays[0].Addr() != four || relays[1].Addr() != six {
		t.Fatalf("relayed addresses %v, want %v and %v", relays, four, six)
	}
	p, p6 := s.peer(t), s.peer6(t)
	c.permit(p, p6)
	c.wantRelayed(relays[0], p)
	c.wantRelayed(relays[1], p6)
}

// dialTo is dial from just that address and port, which another socket may have
// too, to an address of the box.
func (s *scene) dialTo(t *testing.T, to netip.Addr, from netip.AddrPort) *client {
	t.Helper()
	dialer := net.Dialer{Timeout: patience, Control: shareAddress, LocalAddr: net.UDPAddrFromAddrPort(from)}
	if s.stream {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(from)
	}
	conn, err := s.connectWith(dialer, netip.AddrPortFrom(to, s.box.address(s.transport).Port()))
	if err != nil {
		t.Fatalf("dial %v from %v: %v", to, from, err)
	}
	return s.adopt(t, conn)
}

func shareAddress(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	})
	return cmp.Or(err, failed)
}

// TestLinkLocal: clients at link-local addresses that ask one of the box are answered, and
// those of two links are two, though each has the other's address and port, and asks the
// same address.
func TestLinkLocal(t *testing.T) {
	lab := natlab.New(t)
	w := worldAround(lab, lab.Host("box", "198.51.100.10", "2001:db8:1::10"))
	others := lab.Host("clients of another link", "198.51.100.20")
	lab.Wire(w.client, w.box)
	lab.Wire(others, w.box)
	s := &scene{world: w, box: start(t, w.box, setup{allow: peerRanges}), transport: transports[2]}
	var relays []netip.AddrPort
	for _, host := range []*natlab.Host{w.client, others} {
		conn, err := dialLinkLocal(host, s.box.address(s.transport).Port())
		if err != nil {
			t.Fatalf("dial the box: %v", err)
		}
		c := s.adopt(t, conn)
		if got := c.ask(build(binding, request)).address(attrXORMappedAddress); got != netip.MustParseAddrPort("[fe80::1]:40000") {
			t.Errorf("XOR-MAPPED-ADDRESS %v, want the client's", got)
		}
		c.login()
		relay, p := c.allocate(), s.peer(t)
		c.permit(p)
		c.wantRelayed(relay, p)
		relays = append(relays, relay)
	}
	if relays[0] == relays[1] {
		t.Errorf("both have the relayed address %v", relays[0])
	}
}

// dialLinkLocal connects the host's end of its wire with the other.
func dialLinkLocal(host *natlab.Host, port uint16) (conn net.Conn, err error) {
	err = host.Do(func() error {
		links, err := net.Interfaces()
		if err != nil {
			return err
		}
		wire := slices.IndexFunc(links, func(i net.Interface) bool { return strings.HasPrefix(i.Name, "wire") })
		zone := strconv.Itoa(links[wire].Index) // package net keeps names, of whatever namespace
		conn, err = net.DialUDP("udp6", &net.UDPAddr{IP: net.ParseIP("fe80::1"), Port: 40000, Zone: zone},
			&net.UDPAddr{IP: net.ParseIP("fe80::2"), Port: int(port), Zone: zone})
		return err
	})
	return conn, err
}

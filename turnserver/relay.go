package turnserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
)

// relay is one relay address of a session and the socket behind it.
type relay struct {
	session *session
	conn    *net.UDPConn
	out     *sender
	// addr is the relay address as the client was told it: the public address,
	// or that of the interface.
	addr netip.AddrPort
}

// bindTries bounds how many ports that something else holds are passed over.
const bindTries = 16

var errNoPort = errors.New("no relay port is free")

// relaySet makes relay sockets and finds live ones by their port.
type relaySet struct {
	bind netip.Addr // turn.relay.address
	// local says whether an interface of this host has the address.
	local  func(netip.Addr) bool
	family [2]relayFamily
}

// relayFamily is the part of one address family: 0 is IPv4, 1 is IPv6.
type relayFamily struct {
	ports *ports
	live  []atomic.Pointer[relay] // by port, from ports.min on
}

func newRelaySet(bind netip.Addr, local func(netip.Addr) bool, min, max uint16) *relaySet {
	set := &relaySet{bind: bind, local: local}
	for i := range set.family {
		set.family[i] = relayFamily{
			ports: newPorts(min, max),
			live:  make([]atomic.Pointer[relay], int(max)-int(min)+1),
		}
	}
	return set
}

func familyIndex(family byte) int {
	if family == familyIPv6 {
		return 1
	}
	return 0
}

func familyOf(a netip.Addr) byte {
	if a.Is4() {
		return familyIPv4
	}
	return familyIPv6
}

// picker takes ports from a free list: the one to bind, and with EVEN-PORT the
// one after it, to be held.
type picker func(*ports) (port uint16, pair, ok bool)

// open binds a relay socket for s on a port that pick gives out, to be told to
// the client as address. A port that something else on this host holds is
// passed over.
func (set *relaySet) open(s *session, address netip.Addr, pick picker) (*relay, error) {
	f := &set.family[familyIndex(familyOf(address))]
	for range bindTries {
		port, pair, ok := pick(f.ports)
		if !ok {
			return nil, errNoPort
		}
		conn, out, err := set.listen(address, port)
		if err == nil {
			return &relay{session: s, conn: conn, out: out, addr: netip.AddrPortFrom(address, port)}, nil
		}
		// Given back only on return, lest pick finds the same ones again.
		defer f.ports.release(port)
		if pair {
			defer f.ports.release(port + 1)
		}
		if !portTaken(err) {
			return nil, fmt.Errorf("opening a relay socket: %w", err)
		}
	}
	return nil, errNoPort
}

// bindTo is the address that a relay socket is bound to. Packets leave from the
// relay address itself where this host has it (RFC 8656 section 11.2), since the
// kernel would choose another one of several; a zero address leaves it the choice.
func (set *relaySet) bindTo(address netip.Addr) netip.Addr {
	switch {
	case set.bind.IsValid() && familyOf(set.bind) == familyOf(address):
		return set.bind
	case !address.IsLoopback() && set.local(address):
		return address
	}
	return netip.Addr{}
}

func (set *relaySet) listen(address netip.Addr, port uint16) (*net.UDPConn, *sender, error) {
	network, host := "udp4", ""
	if familyOf(address) == familyIPv6 {
		network = "udp6"
	}
	if bind := set.bindTo(address); bind.IsValid() {
		host = bind.String()
	}
	lc := net.ListenConfig{Control: controlRelay}
	conn, err := lc.ListenPacket(context.Background(), network, net.JoinHostPort(host, strconv.Itoa(int(port))))
	if err != nil {
		return nil, nil, err
	}
	out, err := newSender(conn.(*net.UDPConn))
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn.(*net.UDPConn), out, nil
}

// publish lets other sessions of this box reach r.
func (set *relaySet) publish(r *relay) { set.slot(r.addr).Store(r) }

// withdraw ends that. The port stays taken until release.
func (set *relaySet) withdraw(r *relay) { set.slot(r.addr).CompareAndSwap(r, nil) }

// release gives the port of a closed socket back.
func (set *relaySet) release(addr netip.AddrPort) {
	set.family[familyIndex(familyOf(addr.Addr()))].ports.release(addr.Port())
}

// find is the live relay with just this relay address, or nil.
func (set *relaySet) find(addr netip.AddrPort) *relay {
	slot := set.slot(addr)
	if slot == nil {
		return nil
	}
	if r := slot.Load(); r != nil && r.addr == addr {
		return r
	}
	return nil
}

func (set *relaySet) slot(addr netip.AddrPort) *atomic.Pointer[relay] {
	f := &set.family[familyIndex(familyOf(addr.Addr()))]
	i := int(addr.Port()) - int(f.ports.min)
	if i < 0 || i >= len(f.live) {
		return nil
	}
	return &f.live[i]
}

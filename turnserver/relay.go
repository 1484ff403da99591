package turnserver

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"

	"icebox/config"
)

// relay is one relay address of a session and the socket behind it, which it is a
// part of.
type relay struct {
	session *session
	socket  relaySocket
	// addr is the relay address as the client was told it: the public address,
	// or that of the interface.
	addr netip.AddrPort
}

// bindTries bounds how many ports that something else holds are passed over.
const bindTries = 16

var errNoPort = errors.New("no relay port is free")

// relaySet makes relay sockets and finds live ones by their port.
type relaySet struct {
	path path
	bind netip.Addr // turn.relay.address
	// local says whether an interface of this host has the address.
	local  func(netip.Addr) bool
	family [2]relayFamily
	opened sync.WaitGroup // relay sockets that are not closed yet
}

// relayFamily is the part of one address family: 0 is IPv4, 1 is IPv6.
type relayFamily struct {
	ports *ports
	live  []atomic.Pointer[relay] // by port, from ports.min on
}

func newRelaySet(path path, bind netip.Addr, local func(netip.Addr) bool, min, max uint16) *relaySet {
	set := &relaySet{path: path, bind: bind, local: local}
	for i := range set.family {
		set.family[i] = relayFamily{
			ports: newPorts(min, max),
			live:  make([]atomic.Pointer[relay], int(max)-int(min)+1),
		}
	}
	return set
}

// CheckRelayAddress says what is wrong with turn.relay.address where this host does not
// have it, so that no relay socket could be bound to it.
func CheckRelayAddress(relay config.Relay) error {
	if !relay.Address.IsValid() {
		return nil
	}
	family := "4"
	if relay.Address.Is6() {
		family = "6"
	}
	conn, err := net.ListenPacket("udp"+family, netip.AddrPortFrom(relay.Address, 0).String())
	if err != nil {
		if own, unread := readOwnAddresses(); unread == nil && own.has(relay.Address) {
			return nil // an IPv6 address that is being checked for a duplicate can't be bound for a second
		}
		return fmt.Errorf("turn.relay.address: relays can't be bound to %v, expected an address that this machine has, or nothing;"+
			" what the internet sees is public.ipv%s: %v", relay.Address, family, err)
	}
	return conn.Close()
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
		addr := netip.AddrPortFrom(address, port)
		set.opened.Add(1)
		r, err := set.bound(s, addr)
		if err == nil {
			return r, nil
		}
		set.opened.Done()
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

// bound opens the socket of a relay address. Where the host has just lost that, which
// the list of its addresses does not say yet, the kernel chooses.
func (set *relaySet) bound(s *session, addr netip.AddrPort) (*relay, error) {
	bind, closed := set.bindTo(addr.Addr()), func() { set.closed(addr) }
	r, err := set.path.open(s, addr, netip.AddrPortFrom(bind, addr.Port()), closed)
	if bind != set.bind && errors.Is(err, syscall.EADDRNOTAVAIL) {
		return set.path.open(s, addr, netip.AddrPortFrom(unspecified(addr.Addr()), addr.Port()), closed)
	}
	return r, err
}

// bindTo is the address that a relay socket is bound to. Packets leave from the
// relay address itself where this host has it (RFC 8656 section 11.2), since the
// kernel would choose another one of several; the unspecified address leaves it
// the choice.
func (set *relaySet) bindTo(address netip.Addr) netip.Addr {
	switch {
	case set.bind.IsValid() && familyOf(set.bind) == familyOf(address):
		return set.bind
	case !address.IsLoopback() && set.local(address):
		return address
	}
	return unspecified(address)
}

// unspecified is the address of the same family that leaves the choice to the kernel.
func unspecified(address netip.Addr) netip.Addr {
	if address.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// publish lets other sessions of this box reach r.
func (set *relaySet) publish(r *relay) { set.slot(r.addr).Store(r) }

// close ends that and has the socket of r closed, once. The port stays taken
// until closed.
func (set *relaySet) close(r *relay) {
	set.slot(r.addr).CompareAndSwap(r, nil)
	set.ports(r.addr).leave()
	r.socket.close()
}

// closed gives the port of a socket that close was called for back.
func (set *relaySet) closed(addr netip.AddrPort) {
	set.ports(addr).returned(addr.Port())
	set.opened.Done()
}

// ports are those of an address's family.
func (set *relaySet) ports(addr netip.AddrPort) *ports {
	return set.family[familyIndex(familyOf(addr.Addr()))].ports
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

package turnserver

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"time"
)

// ownAddresses are the addresses of the box's interfaces, and the networks that
// these say they are in. Both are sorted, without duplicates and zones.
type ownAddresses struct {
	addrs    []netip.Addr
	prefixes []netip.Prefix
}

// ownPrefixBits is the length of the IPv6 prefix that a provider commonly gives
// to a home (RFC 6177). An interface shows a /64 of it, or less.
const ownPrefixBits = 56

// readOwnAddresses asks the system for the addresses of every interface, up or
// down.
func readOwnAddresses() (ownAddresses, error) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return ownAddresses{}, fmt.Errorf("read the addresses of the interfaces: %w", err)
	}
	var prefixes []netip.Prefix
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok {
			prefixes = append(prefixes, prefixOf(n))
		}
	}
	return ownAddressesOf(prefixes), nil
}

// ownAddressesOf makes ownAddresses of interface addresses with the lengths of
// their networks, such as 192.168.1.20/24.
func ownAddressesOf(interfaces []netip.Prefix) ownAddresses {
	var own ownAddresses
	for _, p := range interfaces {
		if !p.IsValid() {
			continue
		}
		own.addrs = append(own.addrs, p.Addr())
		own.prefixes = append(own.prefixes, p.Masked())
	}
	slices.SortFunc(own.addrs, netip.Addr.Compare)
	slices.SortFunc(own.prefixes, netip.Prefix.Compare)
	own.addrs = slices.Compact(own.addrs)
	own.prefixes = slices.Compact(own.prefixes)
	return own
}

// has says whether an interface has the address.
func (own *ownAddresses) has(addr netip.Addr) bool {
	_, found := slices.BinarySearchFunc(own.addrs, addr, netip.Addr.Compare)
	return found
}

// prefixOf converts an interface address. It is invalid where n is.
func prefixOf(n *net.IPNet) netip.Prefix {
	addr, ok := netip.AddrFromSlice(n.IP)
	ones, bits := n.Mask.Size()
	if !ok || bits == 0 {
		return netip.Prefix{}
	}
	addr = addr.Unmap()
	if addr.Is4() && bits == 128 {
		ones -= 96
	}
	return netip.PrefixFrom(addr, ones)
}

// equal reports whether both hold the same addresses and networks.
func (own ownAddresses) equal(other ownAddresses) bool {
	return slices.Equal(own.addrs, other.addrs) && slices.Equal(own.prefixes, other.prefixes)
}

// near returns the networks around the box's global IPv6 addresses, which are
// the owner's home: the interface's own prefix, or the /56 where that is larger.
// The private networks of the interfaces are denied with all private ranges.
func (own ownAddresses) near() []netip.Prefix {
	var near []netip.Prefix
	for _, p := range own.prefixes {
		if !globalUnicast6.Contains(p.Addr()) {
			continue
		}
		p = netip.PrefixFrom(p.Addr(), min(p.Bits(), ownPrefixBits)).Masked()
		near = append(near, p)
	}
	slices.SortFunc(near, netip.Prefix.Compare)
	return slices.Compact(near)
}

// broadcasts returns the first and the last address of each IPv4 network of the
// box: a packet to either can reach every host of it (RFC 1122 section 3.3.6).
// A network of one or two addresses has none (RFC 3021).
func (own ownAddresses) broadcasts() []netip.Addr {
	var all []netip.Addr
	for _, p := range own.prefixes {
		if p.Addr().Is4() && p.Bits() > 0 && p.Bits() < 31 {
			all = append(all, p.Addr(), lastOf(p))
		}
	}
	return all
}

// lastOf returns the last address of a masked IPv4 prefix.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// pollOwnAddresses reads the interface addresses every interval until ctx ends,
// and calls changed with what it finds the first time and whenever it differs
// from the last time.
func pollOwnAddresses(ctx context.Context, interval time.Duration, log *slog.Logger,
	read func() (ownAddresses, error), changed func(ownAddresses)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var last ownAddresses
	known, failing := false, false
	for {
		own, err := read()
		switch {
		case err != nil && !failing:
			log.Error("interface addresses unknown, the last ones stay denied", "err", err)
		case err == nil && (!known || !own.equal(last)):
			last, known = own, true
			changed(own)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

package turnserver

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

const (
	permissionLifetime = 5 * time.Minute  // RFC 8656 section 9
	channelLifetime    = 10 * time.Minute // RFC 8656 section 12
	channelRest        = 5 * time.Minute  // RFC 8656 section 12: before another peer gets the number
)

// permission lets the packets of one peer address pass, whatever the port (RFC
// 8656 section 9).
type permission struct {
	addr    netip.Addr
	expires deadline
	// own: this is an address that relays of this box have. Its packets are
	// delivered inside the process, to a live relay, or dropped.
	own bool
}

// channel is a binding of a number to a peer (RFC 8656 section 12).
type channel struct {
	number     uint16
	peer       netip.AddrPort
	permission *permission
	expires    deadline
}

// flows are what a session lets pass. A snapshot never changes but for the
// deadlines in it: changes make a new one, so that the data path reads without
// a lock. All three are sorted.
type flows struct {
	permissions []*permission
	numbers     []*channel // by number, resting ones too
	peers       []*channel // by peer, without those that rest
}

var noFlows = new(flows)

// compact is a snapshot in one object where it is a small one, so that a packet
// finds all of it in one place.
func (f *flows) compact() *flows {
	if len(f.permissions) > fewFlows || len(f.numbers) > fewFlows {
		return f
	}
	var small struct {
		flows
		numbers, peers [fewFlows]*channel
		permissions    [fewFlows]*permission
	}
	packed := &small
	packed.flows.numbers = append(packed.numbers[:0], f.numbers...)
	packed.flows.peers = append(packed.peers[:0], f.peers...)
	packed.flows.permissions = append(packed.permissions[:0], f.permissions...)
	return &packed.flows
}

// fewFlows is what compact takes for small.
const fewFlows = 2

func (f *flows) permission(addr netip.Addr) *permission {
	i, ok := slices.BinarySearchFunc(f.permissions, addr, comparePermission)
	if !ok {
		return nil
	}
	return f.permissions[i]
}

func (f *flows) channel(number uint16) *channel {
	i, ok := slices.BinarySearchFunc(f.numbers, number, compareNumber)
	if !ok {
		return nil
	}
	return f.numbers[i]
}

func (f *flows) channelOf(peer netip.AddrPort) *channel {
	i, ok := slices.BinarySearchFunc(f.peers, peer, comparePeer)
	if !ok {
		return nil
	}
	return f.peers[i]
}

func comparePermission(p *permission, addr netip.Addr) int { return p.addr.Compare(addr) }
func compareNumber(c *channel, n uint16) int               { return cmp.Compare(c.number, n) }
func comparePeer(c *channel, peer netip.AddrPort) int      { return c.peer.Compare(peer) }

// live counts the permissions and channels that are in force.
func (f *flows) live(now instant) (permissions, channels int) {
	for _, p := range f.permissions {
		if !p.expires.passed(now) {
			permissions++
		}
	}
	for _, c := range f.numbers {
		if !c.expires.passed(now) {
			channels++
		}
	}
	return permissions, channels
}

// without is a snapshot without what keep refuses and what has ended: channels
// that have rested, and permissions that no channel needs.
func (f *flows) without(now instant, keep func(netip.Addr) bool) *flows {
	next := new(flows)
	for _, c := range f.numbers {
		if keep(c.peer.Addr()) && now.before(c.expires.get().add(channelRest)) {
			next.numbers = append(next.numbers, c)
		}
	}
	for _, p := range f.permissions {
		used := slices.ContainsFunc(next.numbers, func(c *channel) bool { return c.permission == p })
		if keep(p.addr) && (used || !p.expires.passed(now)) {
			next.permissions = append(next.permissions, p)
		}
	}
	next.sortPeers(now)
	return next.compact()
}

// withPermission is a snapshot with p.
func (f *flows) withPermission(p *permission) *flows {
	next := *f
	i, _ := slices.BinarySearchFunc(f.permissions, p.addr, comparePermission)
	next.permissions = slices.Insert(slices.Clone(f.permissions), i, p)
	return next.compact()
}

// withChannel is a snapshot with c, in the place of one of the same number that
// has rested.
func (f *flows) withChannel(c *channel, now instant) *flows {
	next := *f
	next.numbers = slices.DeleteFunc(slices.Clone(f.numbers), func(old *channel) bool {
		return old.number == c.number
	})
	i, _ := slices.BinarySearchFunc(next.numbers, c.number, compareNumber)
	next.numbers = slices.Insert(next.numbers, i, c)
	next.sortPeers(now)
	return next.compact()
}

func (f *flows) sortPeers(now instant) {
	f.peers = nil
	for _, c := range f.numbers {
		if !c.expires.passed(now) {
			f.peers = append(f.peers, c)
		}
	}
	slices.SortFunc(f.peers, func(a, b *channel) int { return a.peer.Compare(b.peer) })
}

//go:build linux

package conformance

import (
	"net/netip"
	"testing"

	"icebox/natlab"
)

// canaryPort is where canaries listen, and where every packet of these tests
// that goes astray is sent.
const canaryPort = 9

// home is a box behind a home router, with another host of its LAN. The IPv6
// prefix is a global one, of which the provider has routed more to the house.
type home struct {
	*world
	lan *natlab.Host
}

const (
	homePublic = "198.51.100.7"
	homePrefix = "2a0e:b107:5:100::/64"
)

func newHome(t *testing.T) *home {
	t.Helper()
	lab := natlab.New(t)
	router := lab.Router("home", natlab.NAT{Public: homePublic, LAN: "192.168.1.0/24", Prefix6: homePrefix})
	box := router.Host("box")
	router.ForwardRange("udp", 3478, 3487, box)
	return &home{world: worldAround(lab, box), lan: router.Host("canary")}
}

// scene is a box of this home, whose listening port the router forwards.
func (h *home) scene(t *testing.T, s setup) *scene {
	t.Helper()
	s.public = homePublic
	return &scene{world: h.world, box: start(t, h.box, s), transport: udp}
}

// never4 are IPv4 addresses that no allow list opens, and special4 those that
// are denied unless one does.
func (h *home) never4() []string {
	return []string{
		"0.0.0.0", "127.0.0.1", "127.255.255.254", "169.254.169.254", "169.254.0.1",
		"224.0.0.1", "239.255.255.250", h.box.Addr().String(),
	}
}

func (h *home) special4() []string {
	return []string{
		"0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "172.16.0.1", "172.31.255.254",
		"192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.254", "198.18.0.1", "198.19.255.254",
		"198.51.100.1", "203.0.113.1", "240.0.0.1", "255.255.255.254", "255.255.255.255",
		"192.168.1.1", "192.168.1.255", h.lan.Addr().String(),
	}
}

func (h *home) never6() []string {
	return []string{"::", "::1", "fe80::1", "fe80::a9fe:a9fe", "ff02::1", "ff05::2", "ff0e::1", h.box.Addr6().String()}
}

func (h *home) special6() []string {
	return []string{
		"fc00::1", "fd00::1", "fec0::1", "100::1", "2001:db8::1", "2001:db8:2::1", "2001:2::1", "2001:10::1", "3fff::1",
		"2001:0:4136:e378:8000:63bf:3fff:fdd2", "64:ff9b:1::1", "64:ff9b::808:808", "2002:808:808::1",
		h.lan.Addr6().String(), "2a0e:b107:5:100::1", "2a0e:b107:5:1ff::1",
	}
}

// spellings are the ways to write an IPv4 address as an IPv6 one: mapped,
// compatible, translated, NAT64, 6to4, ISATAP with either bit.
func spellings(v4 string) []string {
	ip := netip.MustParseAddr(v4).As4()
	fill := func(prefix string, at int) string {
		b := netip.MustParseAddr(prefix).As16()
		copy(b[at:], ip[:])
		return netip.AddrFrom16(b).String()
	}
	return []string{
		fill("::ffff:0:0", 12), fill("::", 12), fill("::ffff:0:0:0", 12), fill("64:ff9b::", 12), fill("64:ff9b:1::", 12),
		fill("2002::1", 2), fill("2a0e:b107:7:1:0:5efe::", 12), fill("2a0e:b107:7:1:200:5efe::", 12),
	}
}

// TestCanaries: no packet of a client's goes where it must not, whatever the
// address is written like.
func TestCanaries(t *testing.T) {
	h := newHome(t)
	special := append(h.never4(), h.special4()...)
	var six []string
	for _, v4 := range special {
		six = append(six, spellings(v4)...)
	}
	six = append(append(six, h.never6()...), h.special6()...)
	t.Run("as shipped", func(t *testing.T) {
		s := h.scene(t, setup{index: 0})
		s.wantNoCanary(t, append(special, six...))
	})
	t.Run("everything allowed", func(t *testing.T) {
		s := h.scene(t, setup{index: 1, allow: []string{"0.0.0.0/0", "::/0"}})
		never := append(h.never4(), h.never6()...)
		for _, v4 := range h.never4() {
			never = append(never, spellings(v4)...)
		}
		s.wantNoCanary(t, never)
		s.wantReached(t, listenPeer(t, h.lan, h.lan.Addr()))
		s.wantReached(t, listenPeer(t, h.first, h.first.Addr()))
	})
	t.Run("denied before allowed", func(t *testing.T) {
		s := h.scene(t, setup{index: 2, allow: []string{"0.0.0.0/0"}, deny: []string{"192.168.1.0/24", "203.0.113.2/32"}})
		s.wantNoCanary(t, []string{h.lan.Addr().String(), "192.168.1.1", "203.0.113.2"})
		s.wantReached(t, listenPeer(t, h.first, h.first.Addr()))
	})
}

// wantReached is the other side of the same check: where a peer is allowed, the
// packets are seen.
func (s *scene) wantReached(t *testing.T, p *peer) {
	t.Helper()
	c := s.login(t)
	c.allocate()
	b := mark("canary")
	seen := sniff(t, s.world.box, b)
	c.permit(p)
	c.sendIndication(p.addr, b)
	if got := (<-p.packets).data; string(got) != string(b) {
		t.Errorf("an allowed peer got %q", got)
	}
	if len(seen()) == 0 {
		t.Error("the sniffer saw nothing of a packet that came: it proves nothing")
	}
}

// wantNoCanary tries each address by permission, by channel and by indication.
// Nothing may leave the box, and nothing go through its loopback.
func (s *scene) wantNoCanary(t *testing.T, addresses []string) {
	t.Helper()
	bird := mark("canary")
	seen := sniff(t, s.world.box, bird)
	c := s.login(t)
	relays := c.must(allocate, transportUDP(), additionalFamily(familyIPv6)).addresses(attrRelayedAddress)
	if len(relays) != 2 || !relays[1].Addr().Is6() {
		t.Fatalf("relayed addresses %v", relays)
	}
	for i, a := range addresses {
		to := netip.AddrPortFrom(netip.MustParseAddr(a), canaryPort)
		number := uint16(0x4000 + i)
		// A permission for the public address is for the live relayed addresses
		// on it, and says nothing about others: TestOwnAddress.
		if got := c.call(createPermission, peerAddress(to)); got.code() != 403 && to.Addr() != relays[1].Addr() {
			t.Errorf("CreatePermission for %s: want 403, got %v", a, got)
		}
		if got := c.call(channelBind, channelNumber(number), peerAddress(to)); got.code() != 403 {
			t.Errorf("ChannelBind to %s: want 403, got %v", a, got)
		}
		c.sendIndication(to, bird)
		c.sendIndication(to, bird, dontFragment())
		c.write(channelData(number, bird, true))
	}
	c.alive()
	for _, f := range seen() {
		t.Errorf("a packet of the client's went from %v to %v", f.from, f.to)
	}
}

// TestOwnAddress: what permits the box's own public address reaches the live
// relayed addresses on it, and nothing else of the box.
func TestOwnAddress(t *testing.T) {
	h := newHome(t)
	s := h.scene(t, setup{})
	a, relayA := s.allocated(t)
	b, relayB := s.allocated(t)
	late, _ := s.allocated(t)
	own := netip.MustParseAddr(homePublic)
	if relayA.Addr() != own || relayB.Addr() != own {
		t.Fatalf("relayed addresses %v and %v, want %v", relayA, relayB, own)
	}
	bird := mark("canary")
	seen := sniff(t, h.box, bird)
	t.Run("relay to relay", func(t *testing.T) {
		a.must(createPermission, peerAddress(relayB))
		a.sendIndication(relayB, bird)
		b.wantNoData() // who has not permitted a is not reached
		b.must(createPermission, peerAddress(relayA))
		for n := range 3 {
			up, down := noise(n*400), noise(n*400+1)
			a.sendIndication(relayB, up)
			b.wantData(relayA, up)
			b.sendIndication(relayA, down)
			a.wantData(relayB, down)
		}
		a.must(channelBind, channelNumber(0x4000), peerAddress(relayB))
		b.must(channelBind, channelNumber(0x4001), peerAddress(relayA))
		a.write(channelData(0x4000, bird, false))
		b.wantChannelData(0x4001, bird)
	})
	t.Run("nothing else", func(t *testing.T) {
		for _, port := range []uint16{22, 3478, 13002, 9640, 49999, dead(relayA, relayB)} {
			to := netip.AddrPortFrom(own, port)
			a.wantRefused(a.call(channelBind, channelNumber(0x4010), peerAddress(to)), 403)
			a.sendIndication(to, bird)
		}
	})
	t.Run("not after its end", func(t *testing.T) {
		b.must(refresh, lifetime(0))
		a.sendIndication(relayB, bird)
		a.write(channelData(0x4000, bird, false))
		b.wantNoData()
		late.wantRefused(late.call(channelBind, channelNumber(0x4000), peerAddress(relayB)), 403)
	})
	a.alive()
	for _, f := range seen() {
		// ChannelData and indications to the client carry the mark behind a header.
		t.Errorf("a packet left the box from %v to %v", f.from, f.to)
	}
}

// dead is a relay port that no session has.
func dead(live ...netip.AddrPort) uint16 {
	port := uint16(50500)
	for _, l := range live {
		if l.Port() == port {
			port++
		}
	}
	return port
}

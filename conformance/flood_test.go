//go:build linux

package conformance

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// TestReflection floods the box with requests in the name of others.
func TestReflection(t *testing.T) {
	w := newWorld(t)
	b := start(t, w.box, setup{allow: peerRanges, limits: asShipped})
	s := &scene{world: w, box: b, transport: udp}
	t.Run("one victim", func(t *testing.T) { reflectAtOne(t, s) })
	t.Run("one IPv6 network", func(t *testing.T) { reflectAtNetwork(t, s) })
	t.Run("many victims", func(t *testing.T) { reflectAtMany(t, s) })
}

// reflectAtOne: the victim gets 100 answers at once and 20 a second (RFC 8489
// §16.1.2 is why). The same address's own sessions go on.
func reflectAtOne(t *testing.T, s *scene) {
	c, relay, p := s.relayed(t)
	victim := listenPeer(t, s.client, c.local().Addr())
	raw := rawSocket(t, s.second)
	const packets = 20_000
	began, sent := time.Now(), 0
	for i := range packets {
		m := build(binding, request)
		if i%2 == 0 {
			m = build(allocate, request, transportUDP(), fingerprint())
		}
		raw.spoof(t, victim.addr, s.box.address(udp), m.raw)
		sent += len(m.raw)
		if i%200 == 199 {
			c.live() // nobody who has authenticated notices
			time.Sleep(10 * time.Millisecond)
		}
	}
	c.wantRelayed(relay, p)
	answers, bytes := victim.count()
	bound := 100 + 20*int(time.Since(began).Seconds()+1)
	t.Logf("%d packets of %d bytes asked for %d answers of %d bytes in %v", packets, sent, answers, bytes, time.Since(began))
	if answers == 0 || answers > bound {
		t.Errorf("%d answers went to the victim, want 1 to %d", answers, bound)
	}
	if bytes > bound*200 {
		t.Errorf("%d bytes in %d answers: more than 200 each", bytes, answers)
	}
}

// count empties the peer's queue.
func (p *peer) count() (packets, bytes int) {
	for {
		select {
		case got := <-p.packets:
			packets++
			bytes += len(got.data)
		case <-time.After(quiet):
			return packets, bytes
		}
	}
}

// reflectAtNetwork: an IPv6 user has a whole /64, so that is what is counted.
func reflectAtNetwork(t *testing.T, s *scene) {
	began, answers := time.Now(), 0
	var sockets []*peer
	for i := range network6 {
		sockets = append(sockets, listenPeer(t, s.neighbours, neighbour(i)))
	}
	to := netip.AddrPortFrom(s.world.box.Addr6(), uint16(s.box.port()))
	for range 200 {
		for _, p := range sockets {
			p.sendTo(to, build(binding, request).raw)
		}
	}
	for _, p := range sockets {
		n, _ := p.count()
		answers += n
	}
	bound := 100 + 20*int(time.Since(began).Seconds()+1)
	if answers == 0 || answers > bound {
		t.Errorf("%d answers went to %d addresses of a /64, want 1 to %d", answers, len(sockets), bound)
	}
}

// reflectAtMany: what the box remembers of each address does not add up.
func reflectAtMany(t *testing.T, s *scene) {
	raw := rawSocket(t, s.second)
	before := s.box.memory(t)
	for i := range 100_000 {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(1 + rand.IntN(126)), byte(i >> 16), byte(i >> 8), byte(i)}), 9)
		raw.spoof(t, from, s.box.address(udp), build(allocate, request).raw)
		if i%200 == 199 {
			time.Sleep(2 * time.Millisecond)
		}
	}
	s.box.wantIdle(t)
	if grown := s.box.memory(t) - before; grown > 32<<20 {
		t.Errorf("%d MB more memory after requests of 100,000 addresses", grown>>20)
	}
	if !s.serves(t) {
		t.Error("a new client is not served afterwards")
	}
}

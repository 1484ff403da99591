//go:build linux

package conformance

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// attack is something that ends or stalls servers out there. Each has a box of
// its own, which must be as before when it is over.
type attack struct {
	name   string
	limits string // of the box; empty: high
	run    func(*testing.T, *scene)
}

const asShipped = "permissions: 64" // which is the default, like all the others

var attacks = []attack{
	{"attributes of every length", high, attackAttributes},
	{"frames with the largest lengths", high, attackFrames},
	{"permissions at the moment of expiry", high, attackExpiry},
	{"sessions ended in the midst of requests", high, attackEnds},
	{"streams closed abruptly", high, attackAbruptEnds},
	{"a flood of malformed datagrams", high, attackFlood},
	{"two thousand silent connections", asShipped, attackSilence},
	{"one byte a second, half a frame", asShipped, attackSlowness},
	{"passwords guessed", asShipped, attackGuesses},
}

func TestAttacks(t *testing.T) {
	w := newWorld(t)
	var wait sync.WaitGroup
	slots := make(chan struct{}, 4)
	for i, a := range attacks {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			t.Run(a.name, func(t *testing.T) {
				b := start(t, w.box, setup{index: i, allow: peerRanges, limits: a.limits,
					relay: fmt.Sprintf("%d-%d", 40000+1000*i, 40999+1000*i)})
				before := b.vitals(t)
				t.Run("while it runs", func(t *testing.T) { a.run(t, &scene{world: w, box: b, transport: udp}) })
				b.wantUnhurt(t, w, before)
			})
		})
	}
	wait.Wait()
}

// over is the same scene with another transport.
func (s *scene) over(tr transport) *scene {
	other := *s
	other.transport = tr
	return &other
}

// drain throws away what the box answers, until the link is closed.
func (c *client) drain() {
	go func() {
		for range c.frames {
		}
	}()
}

// attackAttributes sends each attribute with each length, in each message that
// a stranger, a user, and a user with a session can send. An indication is not
// signed, so anybody can send the last kind by faking an address.
func attackAttributes(t *testing.T, s *scene) {
	types := []uint16{
		attrMappedAddress, 0x0002, attrChangeRequest, 0x0004, 0x0005, attrUsername, 0x0007, attrIntegrity,
		attrErrorCode, attrUnknownAttributes, attrChannelNumber, attrLifetime, attrPeerAddress, attrData,
		attrRealm, attrNonce, attrRelayedAddress, attrRequestedFamily, attrEvenPort, attrRequestedTransport,
		attrDontFragment, 0x001C, 0x001D, 0x001E, attrXORMappedAddress, attrReservationToken, 0x0024, 0x0025,
		attrPadding, attrResponsePort, 0x002A, attrAdditionalFamily, attrAddressErrorCode, 0x8002, 0x8003,
		0x8004, attrSoftware, 0x8023, attrFingerprint, 0x8029, 0x802A, 0x802B, 0x802C, 0x0000, 0xFFFF,
	}
	for _, tr := range []transport{udp, tcp} {
		c, relay, p := s.over(tr).relayed(t)
		stranger := s.over(tr).login(t)
		for _, typ := range types {
			for n := range 26 {
				for _, m := range attributeMessages(c, stranger, attr(typ, noise(n)...), p) {
					m.from.write(m.raw)
				}
				if n%8 == 0 {
					c.alive() // which also keeps the flood below the buffers
					stranger.alive()
				}
				c.received, stranger.received = nil, nil
			}
		}
		p.empty()
		c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
		c.wantBound(relay, p, 0x4000)
	}
}

type sender struct {
	from *client
	raw  []byte
}

func attributeMessages(c, stranger *client, bad part, p *peer) []sender {
	signed, valid := c.signed(), peerAddress(p.addr)
	return []sender{
		{c, build(send, indication, bad).raw},
		{c, build(send, indication, bad, payload(nil)).raw},
		{c, build(send, indication, valid, bad).raw},
		{c, build(createPermission, request, valid, bad, signed).raw},
		{c, build(channelBind, request, bad, valid, channelNumber(0x4000), signed).raw},
		{c, build(refresh, request, lifetime(600), bad, signed).raw},
		{stranger, build(binding, request, bad).raw},
		{stranger, build(allocate, request, bad).raw},
		{stranger, build(allocate, request, bad, stranger.signed()).raw}, // never whole: no transport
		{stranger, build(data, indication, bad).raw},
		{stranger, build(binding, indication, bad).raw},
		{stranger, build(binding, request, bad, fingerprint()).raw},
	}
}

// empty throws away what the peer has received.
func (p *peer) empty() {
	for {
		select {
		case <-p.packets:
		case <-time.After(quiet / 3):
			return
		}
	}
}

// attackFrames sends the length fields that overflow 16 bits once the header is
// added, and leaves some of the streams open.
func attackFrames(t *testing.T, s *scene) {
	s = s.over(tcp)
	stun := func(length uint16) []byte {
		m := build(binding, request)
		m.setLength(int(length))
		return m.raw
	}
	channel := func(length uint16) []byte {
		return binary.BigEndian.AppendUint16([]byte{0x40, 0x00}, length)
	}
	for _, length := range []uint16{0xFFEC, 0xFFF0, 0xFFF8, 0xFFFC, 0xFFFD, 0xFFFE, 0xFFFF, 0xFFEB, 0xFFE8} {
		for _, head := range [][]byte{stun(length), channel(length)} {
			s.dial(t).write(head)
			s.dial(t).write(append(head, noise(100)...))
			gone := s.dial(t)
			gone.write(head)
			gone.close()
			c, _ := s.allocated(t)
			c.write(head)
			c.nonce = "" // nothing can be released on this stream
		}
	}
	s.box.wantIdle(t) // while they are open
	if !s.serves(t) {
		t.Error("not served over TCP while they are open")
	}
}

// attackExpiry asks for the shortest life and for permissions all the while: in
// pion a permission is published before its timer is there, and an allocation
// that ends at that moment stops no timer.
func attackExpiry(t *testing.T, s *scene) {
	var wait sync.WaitGroup
	end := time.Now().Add(4 * time.Second)
	for range 12 {
		c := s.login(t)
		wait.Go(func() {
			for n := byte(0); time.Now().Before(end); n++ {
				c.call(allocate, transportUDP(), lifetime(1))
				c.write(build(refresh, request, lifetime(1), c.signed()).raw)
				for range 20 {
					c.write(build(createPermission, request, peerAddress(s.somewhere()), c.signed()).raw)
				}
				c.call(refresh, lifetime(0))
				c.received = nil
			}
		})
	}
	wait.Wait()
}

// attackEnds ends sessions with requests of theirs in front of and behind the
// Refresh that does it, and ends streams in place of it.
func attackEnds(t *testing.T, s *scene) {
	var wait sync.WaitGroup
	end := time.Now().Add(4 * time.Second)
	for range 4 {
		c := s.login(t)
		wait.Go(func() {
			for time.Now().Before(end) {
				c.call(allocate, transportUDP())
				c.burst(s, 8)
				c.call(refresh, lifetime(0))
				c.burst(s, 4)
				c.alive()
				c.received = nil
			}
		})
		wait.Go(func() {
			for time.Now().Before(end) {
				c := s.over(tcp).loginOnce(t)
				if c == nil {
					continue
				}
				c.write(build(allocate, request, transportUDP(), c.signed()).raw)
				c.burst(s, 8)
				c.close()
			}
		})
	}
	wait.Wait()
}

// burst sends requests and data of a session without waiting for answers.
func (c *client) burst(s *scene, n int) {
	for i := range n {
		peer := peerAddress(s.somewhere())
		c.send(build(createPermission, request, peer, c.signed()).raw)
		c.send(build(channelBind, request, peer, channelNumber(0x4000+uint16(i)), c.signed()).raw)
		c.send(build(send, indication, peer, payload(mark("burst"))).raw)
		c.send(channelData(0x4000+uint16(i), mark("burst"), true))
	}
}

// loginOnce is login without a cleanup of the test's for each of thousands.
func (s *scene) loginOnce(t *testing.T) *client {
	conn, err := s.connect(clientAddress(0, s.ipv6))
	if err != nil {
		return nil
	}
	c := &client{link: newLink(conn, s.stream), t: t, user: alice}
	return c.login()
}

// attackAbruptEnds closes streams with sessions in each way there is.
func attackAbruptEnds(t *testing.T, s *scene) {
	s = s.over(tcp)
	p := s.peer(t)
	for i := range 100 {
		c, relay := s.allocated(t)
		c.permit(p)
		c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
		conn := c.conn.(*net.TCPConn)
		if i%2 == 0 {
			conn.SetLinger(0) // a reset in place of an end
		}
		if i%3 == 0 {
			c.write(channelData(0x4000, noise(1000), true)[:500])
		}
		if i%5 == 0 {
			conn.CloseWrite()
			p.sendTo(relay, noise(1000))
		}
		c.nonce = "" // nothing can be released any more
		c.close()
	}
	eventually(t, "no session and no stream is left", func() bool {
		now := s.box.metrics(t)
		return now["icebox_turn_sessions"] == 0 && now["icebox_turn_connections"] == 0
	})
}

// attackFlood sends what is not a message as fast as it goes.
func attackFlood(t *testing.T, s *scene) {
	const packets = 50_000
	var kinds [][]byte
	for _, m := range broken() {
		kinds = append(kinds, m.raw)
	}
	for range 64 {
		kinds = append(kinds, noise(rand.IntN(200)))
		m := build(uint16(rand.IntN(16)), uint16(rand.IntN(4)), attr(uint16(rand.IntN(65536)), noise(rand.IntN(64))...))
		m.raw[rand.IntN(len(m.raw))] ^= byte(1 + rand.IntN(255))
		kinds = append(kinds, m.raw)
	}
	memory := s.box.memory(t)
	c := s.dial(t)
	c.drain()
	for i := range packets {
		c.write(kinds[i%len(kinds)])
		if i%100 == 99 {
			time.Sleep(2 * time.Millisecond) // the box gets them all, more or less
		}
	}
	if grown := s.box.memory(t) - memory; grown > 16<<20 {
		t.Errorf("%d MB more memory after %d packets", grown>>20, packets)
	}
	if s.box.metric(t, "icebox_turn_malformed_total") < packets/4 {
		t.Errorf("only %v packets were counted as malformed", s.box.metric(t, "icebox_turn_malformed_total"))
	}
}

// attackSilence opens connections and says nothing. There is a limit to them,
// of one address and in all, and a deadline.
func attackSilence(t *testing.T, s *scene) {
	s = s.over(tcp)
	const connections = 2000
	open := make(chan net.Conn, connections)
	var wait sync.WaitGroup
	for i := range 32 {
		from := clientAddress(1+i, false)
		wait.Go(func() {
			for range connections / 32 {
				if conn, err := s.connect(from); err == nil {
					open <- conn
				}
			}
		})
	}
	wait.Wait()
	close(open)
	if held := s.box.metric(t, "icebox_turn_connections"); held > 1000 {
		t.Errorf("%v connections are open, the limit is 1000", held)
	}
	if !s.over(udp).serves(t) {
		t.Error("not served over UDP meanwhile")
	}
	deadline := time.Now().Add(20 * time.Second)
	for conn := range open {
		conn.SetReadDeadline(deadline)
		if _, err := conn.Read(make([]byte, 1)); isTimeout(err) {
			t.Fatal("a silent connection is open after 20 s")
		}
		conn.Close()
	}
}

// attackSlowness keeps connections alive with less than a message.
func attackSlowness(t *testing.T, s *scene) {
	s = s.over(tcp)
	var slow []*client
	for i := range 16 {
		c := s.dial(t)
		if i%2 == 0 {
			c.alive()
		}
		slow = append(slow, c)
	}
	half, _ := s.allocated(t)
	half.write(channelData(0x4000, noise(1000), true)[:500])
	half.nonce = "" // nothing can be released on this stream
	m := build(binding, request, attr(attrUnknownOptional, noise(1000)...))
	for second := range 18 {
		for _, c := range slow {
			c.send(m.raw[second : second+1])
		}
		time.Sleep(time.Second)
	}
	for i, c := range append(slow, half) {
		if !c.ended(time.Second) {
			t.Errorf("connection %d of %d is open after 18 s without a whole message", i+1, len(slow)+1)
		}
	}
}

// attackGuesses tries passwords. Who tries is slowed down by address; the user
// whose password it is does not notice.
func attackGuesses(t *testing.T, s *scene) {
	mine, relay, p := s.relayed(t) // a session of the same user and address
	answered := 0
	for range 200 {
		c := s.dialFrom(t, clientAddress(0, false))
		if answered == 0 {
			c.login()
		}
		c.nonce, c.user.password = "", "guess"
		m := build(allocate, request, transportUDP())
		c.write(m.raw)
		a := c.answerTo(m.id, quiet/10)
		if a == nil {
			continue
		}
		c.nonce = string(a.value(attrNonce))
		m = build(allocate, request, transportUDP(), c.signed())
		c.nonce = ""
		c.write(m.raw)
		if c.answerTo(m.id, quiet/10) != nil {
			answered++
		}
	}
	if answered > 40 {
		t.Errorf("%d of 200 guesses were answered", answered)
	}
	mine.live()
	mine.wantRelayed(relay, p)
	if c := s.dialFresh(t).login(); c.call(allocate, transportUDP()).class != success {
		t.Error("the user is locked out elsewhere")
	}
}

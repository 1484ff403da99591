//go:build linux

package conformance

import (
	"sync"
	"testing"
	"time"
)

// attackExpiry asks for the shortest life, and for permissions at the moment
// when it is over: in pion a permission is published before its timer is there,
// and an allocation that ends just then stops a timer that is none. One client
// after the other has its moment, so that the box is busy with no other.
func attackExpiry(t *testing.T, s *scene) {
	const clients, apart = 8, 125 * time.Millisecond
	began := time.Now()
	var wait sync.WaitGroup
	for i := range clients {
		c := s.login(t)
		wait.Go(func() {
			for round := range time.Duration(4) {
				time.Sleep(time.Until(began.Add(round*1200*time.Millisecond + time.Duration(i)*apart)))
				c.atExpiry(s)
			}
		})
	}
	wait.Wait()
}

// atExpiry allocates for a second and floods the box at the end of it.
func (c *client) atExpiry(s *scene) {
	over := time.Now().Add(time.Second)
	c.insist(build(allocate, request, transportUDP(), lifetime(1), c.signed()))
	time.Sleep(time.Until(over.Add(-20 * time.Millisecond)))
	for time.Now().Before(over.Add(40 * time.Millisecond)) {
		c.write(build(createPermission, request, append(s.anybody(60), c.signed())...).raw)
	}
	c.write(build(refresh, request, lifetime(0), c.signed()).raw)
	c.alive()
	c.received = nil
}

// anybody are n peers that need not be there.
func (s *scene) anybody(n int) (parts []part) {
	for range n {
		parts = append(parts, peerAddress(s.somewhere()))
	}
	return parts
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

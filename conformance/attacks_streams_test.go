//go:build linux

package conformance

import (
	"net"
	"sync"
	"testing"
	"time"
)

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

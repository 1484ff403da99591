package web

import (
	"crypto/tls"
	"net"
	"testing"
	"time"
)

func TestConnectionCaps(t *testing.T) {
	b := startBox(t, nil)
	b.gate.limit(1000, 3, nil)
	var silent []net.Conn
	for range 3 {
		silent = append(silent, b.dial())
	}
	closedSoon := func() bool {
		c := b.dial()
		c.SetDeadline(time.Now().Add(300 * time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		return err != nil && !isTimeout(err)
	}
	if !closedSoon() {
		t.Error("the fourth connection was not closed")
	}
	for _, c := range silent {
		c.Close()
	}
	waitFor(t, "the closed ones to be counted off", func() bool {
		b.gate.mu.Lock()
		defer b.gate.mu.Unlock()
		return b.gate.open == 0 && len(b.gate.by) == 0
	})
	if res, _ := b.ask("GET", "/healthz"); res.StatusCode != 200 {
		t.Errorf("afterwards: %d", res.StatusCode)
	}
	b.gate.limit(0, 3, nil)
	if !closedSoon() {
		t.Error("the cap in all was not applied live")
	}
}

// Every WebSocket that signaling may have fits through the gate, every TURN
// stream, and one more, which signaling refuses with a close frame.
func TestGateLeavesRefusingToSignaling(t *testing.T) {
	b := startBox(t, nil)
	next := testConfig()
	next.Signaling.MaxConnections, next.Signaling.ConnectionsPerAddress = 50, 3
	next.TURN.Limits.Connections, next.TURN.Limits.ConnectionsPerAddress = 20, 2
	b.Update(next)
	if inAll, ofAddress := b.gate.max, b.gate.perAddress; inAll <= 50+20 || ofAddress <= 3+2 {
		t.Errorf("%d connections in all, %d of one address", inAll, ofAddress)
	}
	for i := range 3 + 2 + 1 {
		c := tls.Client(b.dial(), &tls.Config{InsecureSkipVerify: true})
		if res := b.say(c, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"); res.StatusCode != 200 {
			t.Fatalf("connection %d: %d", i, res.StatusCode)
		}
	}
	if b.gate.refused[refusedAddress] != 0 {
		t.Error("the gate has refused one")
	}
}

// A browser's idle connections keep nobody out, neither of its address nor others.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	for name, limit := range map[string]struct{ inAll, ofAddress int }{
		"by address": {1000, 3},
		"in all":     {3, 1000},
	} {
		b := startBox(t, nil)
		b.gate.limit(limit.inAll, limit.ofAddress, nil)
		for i := range 10 {
			c := tls.Client(b.dial(), &tls.Config{InsecureSkipVerify: true})
			if res := b.say(c, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"); res.StatusCode != 200 {
				t.Fatalf("%s: connection %d: %d", name, i, res.StatusCode)
			}
			waitFor(t, "the connection to be idle", func() bool {
				b.gate.mu.Lock()
				defer b.gate.mu.Unlock()
				idle := 0
				for _, of := range b.gate.idle {
					idle += len(of)
				}
				return idle == min(i+1, 3)
			})
		}
		b.stop()
		if len(b.gate.idle) != 0 || b.gate.open != 0 {
			t.Errorf("%s: %d open, idle %v", name, b.gate.open, b.gate.idle)
		}
	}
}

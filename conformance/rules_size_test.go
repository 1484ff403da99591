//go:build linux

package conformance

import (
	"encoding/binary"
	"sync"
	"testing"
)

var sizeRules = []rule{
	{38, "8656 §12.7", "datagrams of peers relayed whole or not at all", checkWhole, ""},
	{39, "8489 §9.2.4", "nonces differ from client to client", checkNonces, ""},
}

func checkWhole(t *testing.T, s *scene) {
	t.Run("Data indication", func(t *testing.T) {
		c, relay, p := s.relayed(t)
		for _, n := range []int{0, 1, 1200, 1472, 1473, 1599, 1600, 1601, 4096, 9000, 30000, 60000} {
			b := noise(n)
			p.sendTo(relay, b)
			c.wantData(p.addr, b)
		}
		p.sendTo(relay, noise(65507))
		c.wantWholeOrNothing(65507)
		c.wantRelayed(relay, p)
	})
	t.Run("ChannelData", func(t *testing.T) {
		c, relay, p := s.relayed(t)
		c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
		sizes := []int{0, 1, 1200, 1472, 1473, 1599, 1600, 1601, 4096, 9000, 30000, 60000}
		if s.stream {
			sizes = append(sizes, 65507)
		}
		for _, n := range sizes {
			b := noise(n)
			p.sendTo(relay, b)
			c.wantChannelData(0x4000, b)
		}
		if !s.stream {
			p.sendTo(relay, noise(65507))
			c.wantWholeOrNothing(65507)
		}
		c.wantBound(relay, p, 0x4000)
	})
}

// wantWholeOrNothing: a packet of n bytes arrives with all of them, or not.
func (c *client) wantWholeOrNothing(n int) {
	c.t.Helper()
	frame := c.wait(quiet, func([]byte) bool { return true })
	if frame == nil {
		return
	}
	got := int(binary.BigEndian.Uint16(frame[2:]))
	if isData(frame) {
		a, err := parse(frame)
		if err != nil {
			c.t.Errorf("malformed: %v", err)
			return
		}
		got = len(a.value(attrData))
	}
	if got != n {
		c.t.Errorf("%d bytes of %d arrived", got, n)
	}
}

func checkNonces(t *testing.T, s *scene) {
	t.Run("apart", func(t *testing.T) {
		nonces := make(chan string)
		var wait sync.WaitGroup
		for range 32 { // at once: a clock must not be all that tells them apart
			c := s.dial(t)
			wait.Go(func() { nonces <- c.login().nonce })
		}
		go func() { wait.Wait(); close(nonces) }()
		seen := make(map[string]bool)
		for n := range nonces {
			if seen[n] {
				t.Errorf("two clients got the nonce %q", n)
			}
			seen[n] = true
		}
	})
	t.Run("not good elsewhere", func(t *testing.T) {
		first, second := s.login(t), s.dial(t)
		second.nonce = first.nonce
		second.wantChallenge(second.call(allocate, transportUDP()), 438)
	})
	t.Run("good for long", func(t *testing.T) {
		c := s.login(t)
		c.allocate()
		p := s.peer(t)
		for range 50 {
			c.permit(p)
		}
	})
}

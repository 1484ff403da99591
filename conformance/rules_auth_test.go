//go:build linux

package conformance

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

var authRules = []rule{
	{9, "8489 §9.2.4", "no credentials: 401 with REALM, NONCE", checkChallenge, ""},
	{10, "8489 §9.2.4", "unknown user or wrong password: 401 with a fresh NONCE", checkWrongPassword, ""},
	{11, "8489 §9.2.4", "stale or invented nonce: 438 with REALM, NONCE", checkStaleNonce, ""},
	{12, "8489 §9.2.4", "integrity but no USERNAME, REALM or NONCE: 400", checkIncomplete, ""},
	{13, "8656 §5", "another user on a live 5-tuple: 441", checkOtherUser, ""},
	{14, "8489 §9.2.4", "what is authentic is answered signed", checkSigned, ""},
}

// methods are the requests that need credentials, each with what it needs
// besides.
func methods() map[string]func(parts ...part) *message {
	with := func(method uint16, own ...part) func(parts ...part) *message {
		return func(parts ...part) *message { return build(method, request, append(own, parts...)...) }
	}
	return map[string]func(parts ...part) *message{
		"Allocate":         with(allocate, transportUDP()),
		"Refresh":          with(refresh),
		"CreatePermission": with(createPermission, peerAddress(forbidden4)),
		"ChannelBind":      with(channelBind, channelNumber(0x4000), peerAddress(forbidden4)),
	}
}

func checkChallenge(t *testing.T, s *scene) {
	for name, method := range methods() {
		t.Run(name, func(t *testing.T) {
			c := s.dial(t)
			c.wantChallenge(c.ask(method()), 401)
			c.wantChallenge(c.ask(method(text(attrUsername, alice.name))), 401)
		})
		t.Run(name+" on an allocation", func(t *testing.T) {
			c, _ := s.allocated(t)
			c.wantChallenge(c.ask(method()), 401)
			c.live()
		})
	}
}

func checkWrongPassword(t *testing.T, s *scene) {
	strangers := []user{{alice.name, bob.password}, {"carol", alice.password}, {alice.name, ""}}
	for name, method := range methods() {
		t.Run(name, func(t *testing.T) {
			c := s.dialFresh(t).login() // guesses are counted by address
			var shapes []string
			for _, c.user = range strangers {
				a := c.ask(method(c.signed()))
				c.wantChallenge(a, 401)
				shapes = append(shapes, fmt.Sprintf("%v", a))
				c.nonce = string(a.value(attrNonce)) // which has to be good for the next
			}
			if len(slices.Compact(shapes)) > 1 {
				t.Errorf("the answers tell which users there are: %q", shapes)
			}
			c.user = alice
			if a := c.call(allocate, transportUDP()); a.class != success {
				t.Errorf("the NONCE of the last 401 is not good: %v", a)
			}
		})
	}
	t.Run("wrong realm", func(t *testing.T) {
		c := s.dialFresh(t).login()
		a := c.ask(build(allocate, request, transportUDP(), text(attrUsername, alice.name),
			text(attrRealm, "elsewhere"), text(attrNonce, c.nonce), integrity(longTermKey(alice.name, "elsewhere", alice.password))))
		c.wantChallenge(a, 401)
		a = c.ask(build(allocate, request, transportUDP(), text(attrUsername, alice.name),
			text(attrRealm, "elsewhere"), text(attrNonce, c.nonce), integrity(alice.key())))
		if a.class == success {
			t.Errorf("another REALM is not looked at: %v", a)
		}
	})
	t.Run("a time-limited user, too late", func(t *testing.T) {
		c := s.login(t)
		c.user = timeLimited(time.Now().Add(-time.Second), "late")
		c.wantChallenge(c.call(allocate, transportUDP()), 401)
		c.user = timeLimited(time.Now().Add(time.Minute), "in-time")
		c.must(allocate, transportUDP())
		c.must(refresh, lifetime(0))
	})
	t.Run("a live allocation stays", func(t *testing.T) {
		c, relay, p := s.relayed(t)
		c.user.password = "guess"
		a := c.call(refresh, lifetime(0))
		c.wantChallenge(a, 401)
		c.user, c.nonce = alice, string(a.value(attrNonce))
		c.live()
		c.wantRelayed(relay, p)
	})
}

func checkStaleNonce(t *testing.T, s *scene) {
	for name, method := range methods() {
		t.Run(name, func(t *testing.T) {
			c := s.login(t)
			for _, c.nonce = range []string{"invented", "0", c.nonce + "0", flip(c.nonce)} {
				a := c.ask(method(c.signed()))
				c.wantChallenge(a, 438)
			}
			c.nonce = string(c.ask(method(c.signed())).value(attrNonce))
			c.allocate()
		})
	}
	t.Run("a wrong password counts before the nonce", func(t *testing.T) {
		c := s.login(t)
		c.nonce, c.user.password = "invented", "guess"
		c.wantChallenge(c.call(allocate, transportUDP()), 401)
	})
	t.Run("a live allocation stays", func(t *testing.T) {
		c, _ := s.allocated(t)
		good := c.nonce
		c.nonce = "invented"
		c.wantChallenge(c.call(refresh, lifetime(0)), 438)
		c.nonce = good
		c.live()
	})
}

// flip changes the last character.
func flip(s string) string {
	b := []byte(s)
	b[len(b)-1] ^= 1
	return string(b)
}

func checkIncomplete(t *testing.T, s *scene) {
	for name, method := range methods() {
		t.Run(name, func(t *testing.T) {
			c := s.login(t)
			name, realm, nonce := text(attrUsername, alice.name), text(attrRealm, realm), text(attrNonce, c.nonce)
			for what, m := range map[string]*message{
				"USERNAME": method(realm, nonce, integrity(alice.key())),
				"REALM":    method(name, nonce, integrity(alice.key())),
				"NONCE":    method(name, realm, integrity(alice.key())),
				"all":      method(integrity(alice.key())),
			} {
				a := c.ask(m)
				c.wantUnsigned(a, 400)
				if a.has(attrRealm) || a.has(attrNonce) || a.has(attrUsername) {
					t.Errorf("without %s: 400 should carry no REALM, NONCE, USERNAME: %v", what, a)
				}
			}
		})
	}
}

func checkOtherUser(t *testing.T, s *scene) {
	for name, method := range methods() {
		t.Run(name, func(t *testing.T) {
			c, _ := s.allocated(t)
			c.user = bob
			want := 441
			if name == "Allocate" { // which is for a new allocation, whoever asks
				want = 437
			}
			c.wantRefused(c.ask(method(c.signed())), want)
			c.user = alice
			c.live()
		})
	}
	t.Run("Refresh 0 ends nothing", func(t *testing.T) {
		c, relay, p := s.relayed(t)
		c.user = bob
		c.wantRefused(c.call(refresh, lifetime(0)), 441)
		c.user = alice
		c.wantRelayed(relay, p)
	})
	t.Run("a free 5-tuple is anybody's", func(t *testing.T) {
		c, _ := s.allocated(t)
		c.must(refresh, lifetime(0))
		c.user = bob
		c.allocate()
	})
}

func checkSigned(t *testing.T, s *scene) {
	c := s.login(t)
	c.wantRefused(c.call(refresh), 437)
	c.wantRefused(c.call(allocate), 400)
	c.wantRefused(c.call(allocate, attr(attrRequestedTransport, protoTCP, 0, 0, 0)), 442)
	c.wantRefused(c.call(allocate, transportUDP(), token(noise(8))), 508)
	c.wantRefused(c.call(allocate, transportUDP(), attr(attrUnknownRequired)), 420)
	c.must(allocate, transportUDP())
	c.must(refresh)
	p := s.peer(t)
	c.must(createPermission, peerAddress(p.addr))
	c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
	c.wantRefused(c.call(createPermission, peerAddress(forbidden4)), 403)
	c.wantRefused(c.call(createPermission), 400)
	c.wantRefused(c.call(channelBind, channelNumber(0x4000)), 400)
	c.wantRefused(c.call(allocate, transportUDP()), 437)
	for _, a := range []*answer{c.call(refresh), c.call(createPermission, peerAddress(forbidden4))} {
		if a.has(attrUsername) || a.has(attrRealm) || a.has(attrNonce) {
			t.Errorf("USERNAME, REALM and NONCE have no place in %v", a)
		}
	}
}

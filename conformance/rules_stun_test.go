//go:build linux

package conformance

import (
	"encoding/binary"
	"slices"
	"testing"
)

var stunRules = []rule{
	{1, "8489 §6.3.1, §12", "Binding answers XOR-MAPPED-ADDRESS in the same transaction", checkBinding, ""},
	{2, "8489 §6.3.1", "unknown comprehension-required attribute: 420; in an indication: dropped", checkUnknownRequired, ""},
	{3, "8489 §6.3", "unknown optional attribute ignored", checkUnknownOptional, ""},
	{4, "8489 §6.3", "indication, response class, unsupported method: no answer", checkNotRequests, ""},
	{5, "8489 §6.3, §14.7", "bad cookie, length, FINGERPRINT: no answer", checkMalformed, ""},
	{6, "8489 §7", "FINGERPRINT asked is FINGERPRINT answered", checkFingerprinted, ""},
	{7, "8489 §14, §14.5", "after MESSAGE-INTEGRITY ignored; of duplicates the first counts", checkOrder, ""},
	{8, "5780 §6.1, 8489 §6.3.1", "CHANGE-REQUEST and its like without RFC 5780: 420", checkChangeRequest, ""},
}

func checkBinding(t *testing.T, s *scene) {
	for _, with := range []string{"nothing", "an allocation"} {
		t.Run("with "+with, func(t *testing.T) {
			c := s.dial(t)
			if with != "nothing" {
				c.login().allocate()
			}
			a := c.ask(build(binding, request))
			if a.class != success || a.method != binding {
				t.Fatalf("want success, got %v", a)
			}
			if got := a.address(attrXORMappedAddress); got != c.local() {
				t.Errorf("XOR-MAPPED-ADDRESS %v, this client is %v", got, c.local())
			}
		})
	}
	t.Run("twice in one transaction", func(t *testing.T) {
		c := s.dial(t)
		m := build(binding, request)
		c.ask(m)
		c.ask(m)
	})
}

func checkUnknownRequired(t *testing.T, s *scene) {
	t.Run("Binding", func(t *testing.T) {
		c := s.dial(t)
		a := c.ask(build(binding, request, attr(attrUnknownRequired, 1, 2, 3), attr(attrUnknownRequired+1)))
		c.wantUnsigned(a, 420)
		wantUnknown(t, a, attrUnknownRequired, attrUnknownRequired+1)
	})
	t.Run("Allocate", func(t *testing.T) {
		c := s.login(t)
		a := c.call(allocate, transportUDP(), attr(attrUnknownRequired))
		c.wantRefused(a, 420)
		wantUnknown(t, a, attrUnknownRequired)
		c.wantRefused(c.call(refresh), 437)
	})
	for name, method := range methods() {
		if name == "Allocate" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			c, _ := s.allocated(t)
			a := c.ask(method(attr(attrUnknownRequired), c.signed()))
			c.wantRefused(a, 420)
			wantUnknown(t, a, attrUnknownRequired)
			c.live()
		})
	}
	t.Run("authentication comes first", func(t *testing.T) {
		c := s.dial(t)
		c.wantChallenge(c.ask(build(allocate, request, transportUDP(), attr(attrUnknownRequired))), 401)
	})
	t.Run("Send indication", func(t *testing.T) {
		c, relay, p := s.relayed(t)
		c.sendIndication(p.addr, mark("bad"), attr(attrUnknownRequired))
		p.wantNothing(t)
		c.wantRelayed(relay, p)
	})
	t.Run("Binding indication", func(t *testing.T) {
		s.dial(t).silent(build(binding, indication, attr(attrUnknownRequired)).raw)
	})
}

func wantUnknown(t *testing.T, a *answer, want ...uint16) {
	t.Helper()
	if got := a.unknown(); !slices.Equal(got, want) {
		t.Errorf("UNKNOWN-ATTRIBUTES %#04x, want %#04x", got, want)
	}
}

func checkUnknownOptional(t *testing.T, s *scene) {
	optional := attr(attrUnknownOptional, 1, 2, 3, 4, 5)
	c := s.dial(t)
	if a := c.ask(build(binding, request, optional)); a.class != success {
		t.Errorf("Binding: %v", a)
	}
	c.login()
	relay := c.allocate(optional)
	p := s.peer(t)
	c.must(createPermission, peerAddress(p.addr), optional)
	c.must(refresh, optional)
	b := mark("send")
	c.sendIndication(p.addr, b, optional)
	p.wantPacket(t, relay, b)
}

func checkNotRequests(t *testing.T, s *scene) {
	c := s.login(t)
	tests := map[string]*message{
		"Binding indication":       build(binding, indication),
		"Binding success":          build(binding, success, attr(attrXORMappedAddress, 0, 1, 0, 9, 9, 9, 9, 9)),
		"Binding error":            build(binding, failure, attr(attrErrorCode, 0, 0, 4, 0)),
		"Allocate indication":      build(allocate, indication, transportUDP(), c.signed()),
		"Allocate success":         build(allocate, success, transportUDP(), c.signed()),
		"Refresh indication":       build(refresh, indication, lifetime(0), c.signed()),
		"Refresh error":            build(refresh, failure, c.signed()),
		"Send request":             build(send, request, peerAddress(forbidden4), payload(nil), c.signed()),
		"Data indication":          build(data, indication, peerAddress(forbidden4), payload(nil)),
		"unknown method":           build(unassigned, request),
		"unknown method, signed":   build(unassigned, request, c.signed()),
		"method of RFC 6062":       build(connect, request, peerAddress(forbidden4), c.signed()),
		"ChannelBind indication":   build(channelBind, indication, channelNumber(0x4000), peerAddress(forbidden4), c.signed()),
		"CreatePermission success": build(createPermission, success, peerAddress(forbidden4), c.signed()),
	}
	for name, m := range tests {
		if err := c.send(m.raw); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if a := c.answerTo(m.id, quiet/3); a != nil {
			t.Errorf("%s: no answer was due, got %v", name, a)
		}
	}
	c.wantRefused(c.call(refresh), 437) // the Allocates made nothing
	c.alive()
}

// broken gives messages that are no STUN messages, by what is wrong with them.
// The streams among them keep their framing: length says how long they are.
func broken() map[string]*message {
	edit := func(change func(*message), parts ...part) *message {
		m := build(binding, request, parts...)
		change(m)
		return m
	}
	return map[string]*message{
		"bad cookie":          edit(func(m *message) { m.raw[5]++ }),
		"no cookie, RFC 3489": edit(func(m *message) { copy(m.raw[4:8], []byte{9, 9, 9, 9}) }),
		"bad FINGERPRINT":     edit(func(m *message) { m.raw[len(m.raw)-1]++ }, fingerprint()),
		"short FINGERPRINT":   edit(func(*message) {}, attr(attrFingerprint, 1, 2)),
		"attribute past the end": edit(func(m *message) {
			binary.BigEndian.PutUint16(m.raw[headerSize+2:], 9)
		}, attr(attrUnknownOptional, 1, 2, 3, 4)),
		"attribute of 65535 bytes": edit(func(m *message) {
			binary.BigEndian.PutUint16(m.raw[headerSize+2:], 0xFFFF)
		}, attr(attrUnknownOptional, 1, 2, 3, 4)),
	}
}

func checkMalformed(t *testing.T, s *scene) {
	for name, m := range broken() {
		t.Run(name, func(t *testing.T) {
			c := s.dial(t)
			c.silent(m.raw)
			if !s.stream { // a stream may be closed: it can't be trusted any more
				c.alive()
			}
		})
	}
	t.Run("bad FINGERPRINT, signed", func(t *testing.T) {
		c := s.login(t)
		m := build(allocate, request, transportUDP(), c.signed(), fingerprint())
		m.raw[len(m.raw)-1]++
		c.silent(m.raw)
	})
	if !s.stream {
		checkMalformedDatagrams(t, s)
	}
}

func checkMalformedDatagrams(t *testing.T, s *scene) {
	whole := func() []byte { return build(binding, request, attr(attrUnknownOptional, 1, 2, 3, 4)).raw }
	tests := map[string]func([]byte) []byte{
		"empty":                 func([]byte) []byte { return nil },
		"one byte":              func(b []byte) []byte { return b[:1] },
		"half a header":         func(b []byte) []byte { return b[:10] },
		"cut in the attributes": func(b []byte) []byte { return b[:len(b)-4] },
		"bytes after the end":   func(b []byte) []byte { return append(b, 0, 0, 0, 0) },
		"length not whole":      func(b []byte) []byte { b[3]--; return b[:len(b)-1] },
		"length zero":           func(b []byte) []byte { b[3] = 0; return b },
		"first bits 10":         func(b []byte) []byte { b[0] |= 0x80; return b },
		"first bits 11":         func(b []byte) []byte { b[0] |= 0xC0; return b },
		"first bits 01":         func(b []byte) []byte { b[0] |= 0x40; return b },
	}
	c := s.dial(t)
	for name, change := range tests {
		c.write(change(whole()))
		if b := c.wait(quiet/3, func([]byte) bool { return true }); b != nil {
			t.Errorf("%s: no answer was due, got %x", name, b)
		}
	}
	c.alive()
}

func checkFingerprinted(t *testing.T, s *scene) {
	c := s.dial(t)
	asked := func(name string, a *answer) {
		t.Helper()
		if err := a.checkFingerprint(); err != nil {
			t.Errorf("%s: %v in %v", name, err, a)
		}
	}
	asked("Binding", c.ask(build(binding, request, fingerprint())))
	asked("420", c.ask(build(binding, request, attr(attrUnknownRequired), fingerprint())))
	asked("401", c.ask(build(allocate, request, transportUDP(), fingerprint())))
	c.login()
	signed := func(method uint16, parts ...part) *answer {
		return c.ask(build(method, request, append(parts, c.signed(), fingerprint())...))
	}
	asked("437", signed(refresh))
	ok := signed(allocate, transportUDP())
	asked("success", ok)
	c.wantSuccess(ok)
	asked("403", signed(createPermission, peerAddress(forbidden4)))
	c.nonce = "invented"
	asked("438", signed(refresh))
}

func checkOrder(t *testing.T, s *scene) {
	t.Run("after MESSAGE-INTEGRITY", func(t *testing.T) {
		c := s.login(t)
		a := c.ask(build(allocate, request, transportUDP(), c.signed(),
			lifetime(1800), attr(attrUnknownRequired), evenPort(true)))
		c.wantSuccess(a)
		if got := a.number(attrLifetime); got != 600 || a.has(attrReservationToken) {
			t.Errorf("attributes after MESSAGE-INTEGRITY counted: %v with LIFETIME %d", a, got)
		}
		a = c.ask(build(refresh, request, c.signed(), lifetime(0), fingerprint()))
		c.wantSuccess(a)
		c.live()
	})
	t.Run("two LIFETIMEs", func(t *testing.T) {
		c := s.login(t)
		a := c.must(allocate, transportUDP(), lifetime(1200), lifetime(1800))
		if got := a.number(attrLifetime); got != 1200 {
			t.Errorf("LIFETIME %d, the first was 1200", got)
		}
	})
	t.Run("two REQUESTED-TRANSPORTs", func(t *testing.T) {
		c := s.login(t)
		c.must(allocate, transportUDP(), attr(attrRequestedTransport, protoTCP, 0, 0, 0))
	})
	t.Run("two peers in ChannelBind", func(t *testing.T) {
		c, relay := s.allocated(t)
		first, second := s.peer(t), s.stranger(t)
		c.must(channelBind, channelNumber(0x4001), peerAddress(first.addr), peerAddress(second.addr))
		b := mark("first")
		c.write(channelData(0x4001, b, true))
		first.wantPacket(t, relay, b)
		second.wantNothing(t)
	})
	t.Run("two DATAs", func(t *testing.T) {
		c, relay, p := s.relayed(t)
		b := mark("first")
		c.sendIndication(p.addr, b, payload(mark("second")))
		p.wantPacket(t, relay, b)
	})
}

func checkChangeRequest(t *testing.T, s *scene) {
	c := s.dial(t)
	for _, p := range []struct {
		typ   uint16
		value []byte
	}{
		{attrChangeRequest, []byte{0, 0, 0, 6}},
		{attrChangeRequest, []byte{0, 0, 0, 0}},
		{attrPadding, make([]byte, 64)},
		{attrResponsePort, []byte{0x12, 0x34}},
	} {
		a := c.ask(build(binding, request, attr(p.typ, p.value...)))
		c.wantUnsigned(a, 420)
		wantUnknown(t, a, p.typ)
	}
}

package turnserver

import (
	"bytes"
	"io"
	"net/netip"
	"testing"

	"github.com/pion/stun/v2"
)

// FuzzFrames: whatever comes on a stream, frames ends, in step with itself.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{0x00, 0x01, 0xFF, 0xEC, 0x21, 0x12, 0xA4, 0x42})
	f.Add([]byte{0x40, 0x00, 0xFF, 0xFC})
	f.Add(append(stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw, 0x40, 1, 0, 1, 9, 0, 0, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := newFrames(bytes.NewReader(data))
		defer in.close()
		read := 0
		for {
			packet, err := in.next(maxFrame)
			if err != nil {
				return
			}
			if packet == nil {
				if err := in.fill(maxFrame); err != nil {
					if (err == io.EOF) != in.empty() {
						t.Fatalf("the end is %v after %d of %d bytes", err, read, len(data))
					}
					break
				}
				continue
			}
			if len(packet) < channelHeader || !isSTUN(packet) && !isChannelData(packet) {
				t.Fatalf("a frame of % x", packet)
			}
			if !bytes.HasPrefix(data[read:], packet) {
				t.Fatalf("frame at %d is out of step", read)
			}
			size, padded, _ := frameSize(packet)
			if size != len(packet) {
				t.Fatalf("a frame of %d bytes says %d", len(packet), size)
			}
			read += padded
		}
		if in.empty() && read != len(data) {
			t.Fatalf("%d of %d bytes were framed", read, len(data))
		}
	})
}

// FuzzMessage: what is parsed can be looked at in every way.
func FuzzMessage(f *testing.F) {
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.Fingerprint).Raw)
	f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodCreatePermission, stun.ClassRequest),
		peerSetter(netip.MustParseAddrPort("[2001:db8::1]:9")), stun.NewUsername("a"), stun.MessageIntegrity("k")).Raw)
	f.Fuzz(func(t *testing.T, data []byte) {
		var m message
		if m.parse(data) != nil {
			return
		}
		m.peerAddress()
		if peers, ok := m.peerAddresses(); ok && len(peers) > maxPeerAddrs {
			t.Fatal("too many peers")
		}
		m.errorCode()
		m.signedWith([]byte("k"))
		for k := range knownCount {
			if v := m.value(k); m.has(k) && v == nil || len(v) > len(data) {
				t.Fatal("a value outside of the message")
			}
		}
		// What the guard takes, stun/v2 must be able to take too.
		if err := (&stun.Message{Raw: append([]byte(nil), data...)}).Decode(); err != nil {
			t.Fatalf("stun/v2 does not decode what parse took: %v", err)
		}
	})
}

// FuzzGuard puts messages through the guard into pion, signed so that they get
// past authentication, on a 5-tuple with a session. That the process lives is
// the test, and that pion and the guard agree on which sessions there are.
func FuzzGuard(f *testing.F) {
	add := func(method stun.Method, attrs ...stun.Setter) {
		m := stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, attrs...)...)
		f.Add(uint16(m.Type.Value()), m.Raw[headerSize:])
	}
	peer := netip.MustParseAddrPort("1.2.3.4:5")
	add(stun.MethodAllocate, requestedUDP, lifetime(1))
	add(stun.MethodRefresh, lifetime(0))
	add(stun.MethodCreatePermission, peerSetter(peer))
	add(stun.MethodChannelBind, channelNumber(0x4000), peerSetter(peer))
	add(stun.MethodAllocate, requestedUDP, stun.RawAttribute{Type: stun.AttrEvenPort, Value: []byte{0x80}})
	f.Add(uint16(0x0016), stun.MustBuild(stun.TransactionID, peerSetter(peer), stun.RawAttribute{Type: stun.AttrData}).Raw[headerSize:])
	s := startServer(f, nil)
	f.Fuzz(func(t *testing.T, kind uint16, body []byte) {
		if len(body) > 4000 {
			return
		}
		o := origin{
			tuple:  tuple{client: netip.MustParseAddrPort("1.1.1.1:1"), local: netip.MustParseAddrPort("127.0.0.1:3478")},
			client: new(discard),
			user:   identity{username: "admin"},
		}
		c := &testClient{user: "admin", pass: "secret", nonce: []byte(s.guard.nonces.make(o.tuple, s.clock.now()))}
		s.guard.handle(&o, stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)},
			c.signed([]stun.Setter{requestedUDP})...)...).Raw)
		packet := signBody(kind, body, c.signed(nil))
		if carries(packet) {
			if x := s.guard.table.get(o.tuple); x != nil {
				s.guard.passUp(x, packet, new(message))
			}
		} else {
			s.guard.handle(&o, packet)
		}
		if have, pions := len(s.Sessions()), s.sessions.engine.server.AllocationCount(); have != pions {
			t.Fatalf("%d sessions, and %d of pion", have, pions)
		}
	})
}

// signBody builds a message of attributes as they are, with credentials after
// them.
func signBody(kind uint16, body []byte, credentials []stun.Setter) []byte {
	m := stun.MustBuild(stun.TransactionID)
	m.Raw = append(m.Raw[:headerSize], body...)
	for len(m.Raw)%4 != 0 {
		m.Raw = append(m.Raw, 0)
	}
	m.Type.ReadValue(kind & 0x3FFF)
	m.Length = uint32(len(m.Raw) - headerSize)
	m.WriteHeader()
	for _, setter := range credentials {
		if err := setter.AddTo(m); err != nil {
			panic(err)
		}
	}
	return m.Raw
}

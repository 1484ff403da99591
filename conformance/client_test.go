//go:build linux

package conformance

import (
	"bytes"
	"cmp"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"
)

// quiet is how long nothing must come for it to count as no answer.
const quiet = 300 * time.Millisecond

// patience is how long an answer that is due may take. Who runs tests that have
// to fail sets CONFORMANCE_PATIENCE to less.
var patience = func() time.Duration {
	d, err := time.ParseDuration(cmp.Or(os.Getenv("CONFORMANCE_PATIENCE"), "5s"))
	if err != nil {
		panic(err)
	}
	return d
}()

// client speaks to a box over one 5-tuple.
type client struct {
	*link
	t        testing.TB
	user     user
	nonce    string
	received [][]byte // frames that nobody has asked for yet
}

// user is a name and password as the box's configuration has them.
type user struct{ name, password string }

func (u user) key() []byte { return longTermKey(u.name, realm, u.password) }

// signed closes a request as the long-term mechanism wants it (RFC 8489
// §9.2.3.2), with a nonce that the box has given.
func (c *client) signed() part {
	return func(m *message) {
		c.credentials()(m)
		integrity(c.user.key())(m)
	}
}

// credentials are the attributes that MESSAGE-INTEGRITY needs, without it.
func (c *client) credentials() part {
	return func(m *message) {
		text(attrUsername, c.user.name)(m)
		text(attrRealm, realm)(m)
		text(attrNonce, c.nonce)(m)
	}
}

// login fetches a nonce for this 5-tuple.
func (c *client) login() *client {
	c.t.Helper()
	a := c.ask(build(allocate, request, transportUDP()))
	if a.code() != 401 || len(a.value(attrNonce)) == 0 {
		c.t.Fatalf("unsigned Allocate: want 401 with NONCE, got %v", a)
	}
	c.nonce = string(a.value(attrNonce))
	return c
}

// call sends a signed request and returns the answer to it.
func (c *client) call(method uint16, parts ...part) *answer {
	c.t.Helper()
	return c.ask(build(method, request, append(parts, c.signed())...))
}

// release ends what allocation there may be, whatever the test has left of the
// client. The kernel gives the port to another one, which has to find nothing.
func (c *client) release() {
	if c.nonce == "" {
		return
	}
	for _, c.user = range []user{alice, bob} {
		for range 2 {
			m := build(refresh, request, lifetime(0), c.signed())
			if c.send(m.raw) != nil {
				return
			}
			a := c.answerTo(m.id, patience)
			if a == nil || a.class == success {
				return
			}
			if nonce := a.value(attrNonce); nonce != nil {
				c.nonce = string(nonce)
			}
		}
	}
}

// must calls and stops the test unless the answer is a signed success.
func (c *client) must(method uint16, parts ...part) *answer {
	c.t.Helper()
	a := c.call(method, parts...)
	c.wantSuccess(a)
	return a
}

// allocate makes an allocation and returns its first relayed address.
func (c *client) allocate(parts ...part) netip.AddrPort {
	c.t.Helper()
	a := c.must(allocate, append([]part{transportUDP()}, parts...)...)
	return a.address(attrRelayedAddress)
}

// permit installs permissions for the addresses of peers.
func (c *client) permit(peers ...*peer) {
	c.t.Helper()
	c.must(createPermission, peerParts(peers...)...)
}

func peerParts(peers ...*peer) []part {
	var parts []part
	for _, p := range peers {
		parts = append(parts, peerAddress(p.addr))
	}
	return parts
}

// ask sends a request and returns the answer to it, which has to come.
func (c *client) ask(m *message) *answer {
	c.t.Helper()
	c.write(m.raw)
	a := c.answerTo(m.id, patience)
	if a == nil {
		c.t.Fatalf("no answer within %v to %x", patience, m.raw[:min(len(m.raw), 64)])
	}
	return a
}

// write sends bytes as they are.
func (c *client) write(b []byte) {
	c.t.Helper()
	if err := c.send(b); err != nil {
		c.t.Fatalf("write to the box: %v", err)
	}
}

// answerTo waits for the answer of a transaction, nil when none comes. What
// every answer has to be is checked here, once for all rules.
func (c *client) answerTo(id transactionID, wait time.Duration) *answer {
	c.t.Helper()
	raw := c.wait(wait, func(b []byte) bool {
		return len(b) >= headerSize && b[0]&0xC0 == 0 && bytes.Equal(b[8:headerSize], id[:])
	})
	if raw == nil {
		return nil
	}
	a, err := parse(raw)
	if err != nil {
		c.t.Fatalf("malformed answer %x: %v", raw, err)
	}
	c.checkForm(a)
	return a
}

// wait returns the first frame that fits, looking first at those which came
// while something else was waited for.
func (c *client) wait(d time.Duration, fits func([]byte) bool) []byte {
	if i := slices.IndexFunc(c.received, fits); i >= 0 {
		frame := c.received[i]
		c.received = slices.Delete(c.received, i, i+1)
		return frame
	}
	timeout := time.After(d)
	for {
		select {
		case frame, ok := <-c.frames:
			if !ok {
				return nil
			}
			if fits(frame) {
				return frame
			}
			c.received = append(c.received, frame)
		case <-timeout:
			return nil
		}
	}
}

// ended says whether the box has closed the stream within that time.
func (c *client) ended(d time.Duration) bool {
	timeout := time.After(d)
	for {
		select {
		case frame, ok := <-c.frames:
			if !ok {
				return true
			}
			c.received = append(c.received, frame)
		case <-timeout:
			return false
		}
	}
}

// silent sends bytes and fails when anything at all comes back.
func (c *client) silent(b []byte) {
	c.t.Helper()
	c.write(b)
	if frame := c.wait(quiet, func([]byte) bool { return true }); frame != nil {
		c.t.Errorf("no answer was due to %x, %x came", b[:min(len(b), 64)], frame)
	}
}

// insist sends a request again and again, as clients do over UDP, where a flood
// may have taken its place.
func (c *client) insist(m *message) *answer {
	c.t.Helper()
	for range 10 {
		c.write(m.raw)
		if a := c.answerTo(m.id, patience/10); a != nil {
			return a
		}
		if c.stream {
			break
		}
	}
	c.t.Fatalf("no answer to %x, however often it was sent", m.raw[:min(len(m.raw), 64)])
	return nil
}

// alive asserts that the box still answers on this 5-tuple.
func (c *client) alive() {
	c.t.Helper()
	if a := c.insist(build(binding, request)); a.class != success {
		c.t.Errorf("Binding afterwards: %v", a)
	}
}

// live asserts that the allocation of this 5-tuple is there.
func (c *client) live() {
	c.t.Helper()
	if a := c.call(refresh); a.class != success {
		c.t.Errorf("the allocation is gone: %v", a)
	}
}

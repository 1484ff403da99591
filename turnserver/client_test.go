package turnserver

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/pion/stun/v2"

	"icebox/config"
)

// testConfig is a configuration for loopback: one udp and one tcp listener on
// free ports, and the user admin with the password secret.
func testConfig(edit func(*config.Config)) *config.Config {
	cfg := config.Default()
	cfg.TURN.Listen = []config.Listener{{Network: "udp", Address: "127.0.0.1:0"}, {Network: "tcp", Address: "127.0.0.1:0"}}
	cfg.TURN.Realm = "icebox"
	cfg.TURN.Users = []config.User{{Name: "admin", Password: "secret"}, {Name: "bob", Password: "b"}}
	cfg.TURN.Secret = "0123456789abcdef"
	cfg.TURN.Relay.Ports = config.PortRange{Min: 20000, Max: 29999}
	if path := os.Getenv("ICEBOX_TURN_RELAY_DATAPATH"); path != "" {
		cfg.TURN.Relay.DataPath = path // the whole package is tested once with each
	}
	cfg.TURN.Limits.AllocationsPerUser = 5000
	cfg.TURN.Limits.Allocations = 5000
	cfg.TURN.Limits.Unauthenticated = config.Rate{Rate: 1e6, Burst: 1e6}
	if edit != nil {
		edit(cfg)
	}
	return cfg
}

// startServer runs a server for the length of the test. Relays have the address
// that the client asked, 127.0.0.1: clients reach each other's, and nothing else.
func startServer(t testing.TB, edit func(*config.Config)) *Server {
	t.Helper()
	return runServer(t, edit, Options{})
}

// serve runs s until the test ends.
func serve(t testing.TB, s *Server) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// testClient speaks TURN to a server, over UDP or TCP.
type testClient struct {
	t      testing.TB
	conn   net.Conn
	frames *frames // over TCP
	user   string
	pass   string
	nonce  []byte
}

func dial(t testing.TB, s *Server, network string) *testClient {
	t.Helper()
	addr := s.Addrs()[0]
	if network == "tcp" {
		addr = s.Addrs()[1]
	}
	conn, err := net.Dial(network, addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &testClient{t: t, conn: conn, user: "admin", pass: "secret"}
	if network == "tcp" {
		c.frames = newFrames(conn)
	}
	return c
}

func (c *testClient) write(packet []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(packet); err != nil {
		c.t.Fatal(err)
	}
}

// read is the next packet, or nil when none comes within wait.
func (c *testClient) read(wait time.Duration) []byte {
	c.conn.SetReadDeadline(time.Now().Add(wait))
	if c.frames != nil {
		p, err := c.frames.take(maxFrame)
		if err != nil {
			return nil
		}
		return append([]byte(nil), p...)
	}
	buf := make([]byte, 65536)
	n, err := c.conn.Read(buf)
	if err != nil {
		return nil
	}
	return buf[:n]
}

// take waits for the next frame.
func (f *frames) take(limit int) ([]byte, error) {
	for {
		if p, err := f.next(limit); p != nil || err != nil {
			return p, err
		}
		if err := f.fill(limit); err != nil {
			return nil, err
		}
	}
}

const patience = 5 * time.Second

// request sends one signed request and returns the answer, fetching a nonce
// first where there is none.
func (c *testClient) request(method stun.Method, attrs ...stun.Setter) *message {
	c.t.Helper()
	if c.nonce == nil {
		m := c.exchange(stun.NewType(stun.MethodAllocate, stun.ClassRequest))
		c.nonce = append([]byte(nil), m.value(attrNonce)...)
	}
	return c.exchange(stun.NewType(method, stun.ClassRequest), c.signed(attrs)...)
}

func (c *testClient) signed(attrs []stun.Setter) []stun.Setter {
	return append(append([]stun.Setter(nil), attrs...), stun.NewUsername(c.user), stun.NewRealm("icebox"),
		stun.NewNonce(string(c.nonce)), stun.MessageIntegrity(longTermKey(c.user, "icebox", c.pass)))
}

// answer is the answer to a request, or nil when it is time to send that again:
// over UDP after half a second (RFC 8489 section 6.2.1), since a server that gets
// more than it can handle drops some.
func (c *testClient) answer(id transactionID) *message {
	wait := patience
	if c.frames == nil {
		wait /= 10
	}
	for deadline := time.Now().Add(wait); time.Now().Before(deadline); {
		m := new(message)
		if p := c.read(time.Until(deadline)); p != nil && m.parse(p) == nil && m.transaction() == id {
			return m
		}
	}
	return nil
}

func (c *testClient) exchange(kind stun.MessageType, attrs ...stun.Setter) *message {
	c.t.Helper()
	m := stun.MustBuild(append([]stun.Setter{stun.TransactionID, kind}, attrs...)...)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		c.write(m.Raw)
		if answer := c.answer(m.TransactionID); answer != nil {
			return answer
		}
	}
	c.t.Fatalf("no answer to %s", kind)
	return nil
}

// allocate makes an allocation and returns its first relay address.
func (c *testClient) allocate(attrs ...stun.Setter) netip.AddrPort {
	c.t.Helper()
	m := c.request(stun.MethodAllocate, append([]stun.Setter{requestedUDP}, attrs...)...)
	wantCode(c.t, m, 0)
	return relayedAddress(c.t, m)
}

func relayedAddress(t testing.TB, m *message) netip.AddrPort {
	t.Helper()
	v := rawAttribute(m, stun.AttrXORRelayedAddress)
	addr, ok := readXORAddress(v, m.raw)
	if !ok {
		t.Fatal("no relay address in the answer")
	}
	return addr
}

// rawAttribute is the value of the first attribute of a type, or nil.
func rawAttribute(m *message, t stun.AttrType) []byte {
	for at := headerSize; at < len(m.raw); {
		size := int(binary.BigEndian.Uint16(m.raw[at+2:]))
		if stun.AttrType(binary.BigEndian.Uint16(m.raw[at:])) == t {
			return m.raw[at+4 : at+4+size]
		}
		at += 4 + (size+3)&^3
	}
	return nil
}

// wantCode checks an answer's error code, 0 for success.
func wantCode(t testing.TB, m *message, want stun.ErrorCode) {
	t.Helper()
	if got := m.errorCode(); got != want {
		t.Fatalf("%s: answered %d, want %d", m.kind.Method, got, want)
	}
}

func (c *testClient) permit(peers ...netip.AddrPort) *message {
	c.t.Helper()
	var attrs []stun.Setter
	for _, p := range peers {
		attrs = append(attrs, peerSetter(p))
	}
	return c.request(stun.MethodCreatePermission, attrs...)
}

func (c *testClient) bind(number uint16, peer netip.AddrPort) *message {
	c.t.Helper()
	return c.request(stun.MethodChannelBind, channelNumber(number), peerSetter(peer))
}

// sendChannel sends payload in ChannelData, padded over TCP.
func (c *testClient) sendChannel(number uint16, payload []byte) {
	c.t.Helper()
	p := binary.BigEndian.AppendUint16(nil, number)
	p = binary.BigEndian.AppendUint16(p, uint16(len(payload)))
	p = append(p, payload...)
	for c.frames != nil && len(p)%4 != 0 {
		p = append(p, 0)
	}
	c.write(p)
}

// sendIndication sends payload in a Send indication.
func (c *testClient) sendIndication(peer netip.AddrPort, payload []byte) {
	c.t.Helper()
	m := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication),
		peerSetter(peer), stun.RawAttribute{Type: stun.AttrData, Value: payload})
	c.write(m.Raw)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// sessionOf is the one session of a server.
func sessionOf(t testing.TB, s *Server) *session {
	t.Helper()
	all := s.sessions.table.all()
	if len(all) != 1 {
		t.Fatalf("%d sessions, want 1", len(all))
	}
	return all[0]
}

// eventually waits until what holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal("it never came about: " + what)
}

// channelNumber is CHANNEL-NUMBER (RFC 8656 section 18.1).
func channelNumber(n uint16) stun.Setter {
	return stun.RawAttribute{Type: stun.AttrChannelNumber, Value: []byte{byte(n >> 8), byte(n), 0, 0}}
}

// peerSetter is XOR-PEER-ADDRESS.
func peerSetter(peer netip.AddrPort) stun.Setter {
	return xorAddress{kind: stun.AttrXORPeerAddress, addr: peer}
}

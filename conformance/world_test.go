//go:build linux

package conformance

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"icebox/natlab"
)

// world is the small internet of a test: a host that boxes run on, a host that
// clients are on, and two hosts of peers, with IPv4 and IPv6 each.
type world struct {
	box, client, first, second *natlab.Host
	neighbours                 *natlab.Host // addresses of one IPv6 network

	used atomic.Int64 // client addresses that fresh has given away
}

// clientAddresses is how many addresses the clients' host has in each family.
// Limits by address see each IPv6 one as a network of its own.
const clientAddresses = 48

func clientAddress(i int, ipv6 bool) netip.Addr {
	if ipv6 {
		return netip.MustParseAddr(fmt.Sprintf("2001:db8:3:%x::20", i))
	}
	return netip.AddrFrom4([4]byte{198, 51, 100, byte(100 + i)})
}

// network6 is how many addresses the neighbours have.
const network6 = 8

func neighbour(i int) netip.Addr {
	return netip.MustParseAddr(fmt.Sprintf("2001:db8:4::%x", 1+i))
}

// fresh is a client address that nobody has used yet, for who means to use up
// what one address may do.
func (w *world) fresh(t testing.TB, ipv6 bool) netip.Addr {
	t.Helper()
	i := int(w.used.Add(1))
	if i >= clientAddresses {
		t.Fatal("the clients' host has too few addresses")
	}
	return clientAddress(i, ipv6)
}

// Every address is a documentation one, which boxes refuse to relay to unless
// turn.peers.allow names them: peers are in these, forbidden is in none.
var (
	peerRanges = []string{"203.0.113.0/24", "2001:db8:2::/48"}
	forbidden4 = netip.MustParseAddrPort("10.0.0.1:9")
	forbidden6 = netip.MustParseAddrPort("[fd00::1]:9")
)

func newWorld(t *testing.T) *world {
	t.Helper()
	lab := natlab.New(t)
	return worldAround(lab, lab.Host("box", "198.51.100.10", "2001:db8:1::10"))
}

// worldAround has boxes on that host.
func worldAround(lab *natlab.Lab, box *natlab.Host) *world {
	var clients, neighbours []string
	for i := range network6 {
		neighbours = append(neighbours, neighbour(i).String())
	}
	for i := range clientAddresses {
		clients = append(clients, clientAddress(i, false).String(), clientAddress(i, true).String())
	}
	return &world{
		box:    box,
		client: lab.Host("client", clients...),
		first:  lab.Host("first peer", "203.0.113.1", "2001:db8:2::1"),
		second: lab.Host("second peer", "203.0.113.2", "2001:db8:2::2"),

		neighbours: lab.Host("neighbours", neighbours...),
	}
}

// transport is how clients reach a box. A row of the table runs over each.
type transport struct {
	name    string
	network string // of net.Dial
	stream  bool
	ipv6    bool
	// sealed: inside of TLS, on the port of that listener or, where it is the
	// signaling one's, beside HTTPS. alpn is what the client offers.
	sealed bool
	shared bool
	alpn   []string
}

// transports are those that the box serves.
var transports = []transport{
	{name: "udp", network: "udp4"},
	{name: "tcp", network: "tcp4", stream: true},
	{name: "udp6", network: "udp6", ipv6: true},
	{name: "tcp6", network: "tcp6", stream: true, ipv6: true},
	{name: "tls", network: "tcp4", stream: true, sealed: true},
	{name: "wss", network: "tcp4", stream: true, sealed: true, shared: true},
	{name: "wss6", network: "tcp6", stream: true, ipv6: true, sealed: true, shared: true, alpn: []string{"stun.turn"}},
}

var udp, tcp = transports[0], transports[1]

// scene is a box and the way in which the clients of a check reach it.
type scene struct {
	*world
	box *box
	transport
	few *narrow
}

// dial opens a 5-tuple of its own, closed when the test ends.
func (s *scene) dial(t testing.TB) *client {
	t.Helper()
	return s.dialFrom(t, clientAddress(0, s.ipv6))
}

// dialFresh is dial from an address that no other client has.
func (s *scene) dialFresh(t testing.TB) *client {
	t.Helper()
	return s.dialFrom(t, s.fresh(t, s.ipv6))
}

func (s *scene) dialFrom(t testing.TB, from netip.Addr) *client {
	t.Helper()
	conn, err := s.connect(from)
	if err != nil {
		t.Fatalf("dial the box: %v", err)
	}
	return s.adopt(t, conn)
}

// adopt is the client behind a connection to the box.
func (s *scene) adopt(t testing.TB, conn net.Conn) *client {
	c := &client{link: newLink(conn, s.stream), t: t, user: alice}
	t.Cleanup(func() {
		c.release()
		c.close()
	})
	return c
}

// connect opens a socket of the clients' host that leads to the box.
func (s *scene) connect(from netip.Addr) (net.Conn, error) {
	dialer := net.Dialer{Timeout: patience, LocalAddr: net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	if s.stream {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	return s.connectWith(dialer, s.box.address(s.transport))
}

func (s *scene) connectWith(dialer net.Dialer, to netip.AddrPort) (conn net.Conn, err error) {
	err = s.client.Do(func() (err error) {
		conn, err = dialer.Dial(s.network, to.String())
		return err
	})
	if err != nil || !s.sealed {
		return conn, err
	}
	// The box's certificate is one that it made itself.
	conf := &tls.Config{InsecureSkipVerify: true, NextProtos: s.alpn}
	return tls.Client(conn, conf), nil
}

// login is a client that has a nonce.
func (s *scene) login(t testing.TB) *client {
	t.Helper()
	return s.dial(t).login()
}

// allocated is a client with an allocation, and its relayed address.
func (s *scene) allocated(t testing.TB, parts ...part) (*client, netip.AddrPort) {
	t.Helper()
	c := s.login(t)
	return c, c.allocate(parts...)
}

// relayed is a client with an allocation and a permission for a new peer.
func (s *scene) relayed(t testing.TB) (*client, netip.AddrPort, *peer) {
	t.Helper()
	c, relay := s.allocated(t)
	p := s.peer(t)
	c.permit(p)
	return c, relay, p
}

// peer is a new IPv4 socket on the first peers' host.
func (s *scene) peer(t testing.TB) *peer { return listenPeer(t, s.first, s.first.Addr()) }

// peer6 is a new IPv6 socket there.
func (s *scene) peer6(t testing.TB) *peer { return listenPeer(t, s.first, s.first.Addr6()) }

// stranger is a socket on the second peers' host, another address.
func (s *scene) stranger(t testing.TB) *peer { return listenPeer(t, s.second, s.second.Addr()) }

func listenPeer(t testing.TB, host *natlab.Host, addr netip.Addr) *peer {
	t.Helper()
	conn, err := host.ListenPacket("udp", netip.AddrPortFrom(addr, 0).String())
	if err != nil {
		t.Fatalf("a peer's socket: %v", err)
	}
	return newPeer(t, conn.(*net.UDPConn))
}

// eventually asks until it is so, for as long as patience lasts.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("not within %v: %s", patience, what)
			return
		}
	}
}

// somewhere is a peer's address that need not be there.
func (s *scene) somewhere() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(rand.IntN(256))}), uint16(1+rand.IntN(65535)))
}

package turnserver

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v2"

	"icebox/config"
)

// serves checks that a server still answers over both transports.
func serves(t *testing.T, s *Server) {
	t.Helper()
	for _, network := range []string{"udp", "tcp"} {
		dial(t, s, network).exchange(stun.NewType(stun.MethodBinding, stun.ClassRequest))
	}
}

// TestAttributeLengths: a Send indication, and then every request, with every
// attribute at every length from 0 on. The indication with an empty
// XOR-PEER-ADDRESS alone ends plain pion.
func TestAttributeLengths(t *testing.T) {
	s := startServer(t, func(c *config.Config) { c.TURN.Limits.Unauthenticated = config.Rate{Rate: 1e6, Burst: 1e6} })
	c := dial(t, s, "udp")
	c.allocate()
	types := []stun.AttrType{
		stun.AttrXORPeerAddress, stun.AttrData, stun.AttrChannelNumber, stun.AttrLifetime, stun.AttrEvenPort,
		stun.AttrRequestedTransport, stun.AttrReservationToken, stun.AttrRequestedAddressFamily,
		typeAdditionalFamily, stun.AttrDontFragment, stun.AttrUsername, stun.AttrNonce, stun.AttrRealm,
	}
	for _, attr := range types {
		for size := range 24 {
			raw := stun.RawAttribute{Type: attr, Value: make([]byte, size)}
			c.write(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication), raw,
				stun.RawAttribute{Type: stun.AttrData, Value: []byte("x")}).Raw)
			for _, method := range []stun.Method{stun.MethodAllocate, stun.MethodRefresh, stun.MethodCreatePermission, stun.MethodChannelBind} {
				if attr == stun.AttrLifetime && size == 4 {
					continue // LIFETIME 0 ends the session, rightly
				}
				c.write(stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest), raw}, c.signed(nil)...)...).Raw)
			}
		}
	}
	serves(t, s)
	if len(s.Sessions()) != 1 {
		t.Error("the session is gone")
	}
}

// TestOverlongFrames: STUN length 0xFFEC and ChannelData length 0xFFFC overflow
// plain pion's framing, which then spins for ever.
func TestOverlongFrames(t *testing.T) {
	s := startServer(t, nil)
	before := cpuTime(t)
	for _, frame := range [][]byte{
		{0x00, 0x01, 0xFF, 0xEC, 0x21, 0x12, 0xA4, 0x42},
		{0x40, 0x00, 0xFF, 0xFC},
		{0xFF, 0xFF, 0xFF, 0xFF},
		{0x00, 0x01, 0x00, 0x03},
	} {
		c := dial(t, s, "tcp")
		c.write(frame)
		c.write(make([]byte, 64))
		if c.read(patience) != nil {
			t.Errorf("% x was answered", frame)
		}
	}
	serves(t, s)
	time.Sleep(300 * time.Millisecond)
	if used := cpuTime(t) - before; used > 2*time.Second {
		t.Errorf("%v of CPU for four frames", used)
	}
}

// TestEndedWhileHandled ends ten thousand sessions from outside while requests
// of theirs are handled. Plain pion is gone after a few.
func TestEndedWhileHandled(t *testing.T) {
	s := startServer(t, nil)
	const clients, each = 8, 1250
	var running sync.WaitGroup
	for i := range clients {
		running.Go(func() { churn(s, netip.MustParseAddrPort(fmt.Sprintf("1.1.1.%d:9", i+1)), each) })
	}
	running.Wait()
	serves(t, s)
	eventually(t, "everything is let go", func() bool {
		return len(s.Sessions()) == 0 && s.sessions.accounts.total == 0 &&
			s.sessions.relays.family[0].ports.available() == 10000
	})
	if begun := s.sessions.begun.Load(); begun != clients*each {
		t.Errorf("%d sessions began, want %d", begun, clients*each)
	}
}

// churn begins n sessions one after the other. While the requests of each come
// in, another goroutine ends it.
func churn(s *Server, client netip.AddrPort, n int) {
	answers := new(discard)
	o := origin{tuple: tuple{client: client, local: netip.MustParseAddrPort("127.0.0.1:3478")}, client: answers, user: identity{username: "admin"}}
	c := &testClient{user: "admin", pass: "secret", nonce: []byte(s.guard.nonces.make(o.tuple, s.clock.now()))}
	send := func(method stun.Method, attrs ...stun.Setter) {
		s.guard.handle(&o, stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, c.signed(attrs)...)...).Raw)
	}
	for answers.allocated < n {
		send(stun.MethodAllocate, requestedUDP)
		x := s.guard.table.get(o.tuple)
		if x == nil {
			continue
		}
		var killer sync.WaitGroup
		killer.Go(func() { s.sessions.end(x) })
		for !x.over() {
			send(stun.MethodCreatePermission, peerSetter(client))
			send(stun.MethodChannelBind, channelNumber(0x4000), peerSetter(client))
			send(stun.MethodRefresh)
		}
		send(stun.MethodCreatePermission, peerSetter(client))
		killer.Wait()
	}
}

// discard is a client who hears nothing, but counts successful Allocates.
type discard struct{ allocated int }

func (d *discard) send(packet []byte) (drop, bool) {
	if packet[0] == 0x01 && packet[1] == 0x03 {
		d.allocated++
	}
	return 0, true
}

func (*discard) fits() int { return maxDatagram4 }

// TestSilentStreams: connections that say nothing, or half a frame, are bounded
// and leave nothing behind.
func TestSilentStreams(t *testing.T) {
	s := startServer(t, func(c *config.Config) {
		c.TURN.Limits.Connections = 50
		c.TURN.Limits.ConnectionsPerAddress = 40
	})
	var open []net.Conn
	for i := range 100 {
		conn, err := net.Dial("tcp", s.Addrs()[1].String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i%2 == 0 {
			conn.Write([]byte{0, 1, 0})
		}
		open = append(open, conn)
	}
	eventually(t, "the cap by address holds", func() bool { return s.streams.count() == 40 })
	for _, conn := range open {
		conn.Close()
	}
	eventually(t, "all are gone", func() bool { return s.streams.count() == 0 })
	serves(t, s)
}

// TestNothingLeft makes and ends sessions, and finds as many descriptors,
// goroutines and ports as before.
func TestNothingLeft(t *testing.T) {
	s := startServer(t, nil)
	serves(t, s)
	goroutines, descriptors := runtime.NumGoroutine(), openDescriptors(t)
	for range 20 {
		var clients []*testClient
		for i := range 20 {
			c := dial(t, s, []string{"udp", "tcp"}[i%2])
			c.allocate()
			clients = append(clients, c)
		}
		for i, c := range clients {
			if i%3 == 0 {
				wantCode(t, c.request(stun.MethodRefresh, lifetime(0)), 0)
			}
			c.conn.Close()
		}
		s.EndUser("admin")
	}
	eventually(t, "everything is let go", func() bool {
		return runtime.NumGoroutine() <= goroutines && openDescriptors(t) <= descriptors &&
			s.sessions.relays.family[0].ports.available() == 10000
	})
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("needs /proc")
	}
	return len(entries)
}

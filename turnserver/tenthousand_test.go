package turnserver

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"

	"github.com/pion/stun/v2"

	"icebox/config"
)

const (
	manySessions = 10_000
	// atATime is how many live at once: few enough for 1,024 descriptors.
	atATime = 500
)

// TestTenThousand begins ten thousand sessions and lets them go, and ten
// thousand more while as many are refused. Nothing is kept: no descriptor, no
// port, no goroutine, and no memory, of which each timer would hold some.
func TestTenThousand(t *testing.T) {
	s := startServer(t, func(c *config.Config) {
		c.TURN.Limits.AllocationsPerUser, c.TURN.Limits.Allocations = atATime, atATime
	})
	crowd := &crowd{t: t, server: s}
	crowd.comeAndGo(atATime) // what is made once and kept: pools, maps, a nonce of pion
	before := s.holdings(t)
	for range manySessions / atATime {
		crowd.comeAndGo(atATime)
	}
	wantHeld(t, s, before)
	for range manySessions / atATime {
		crowd.comeAndGo(2 * atATime)
	}
	wantHeld(t, s, before)
	if n := s.guard.stats.refusals[stun.CodeAllocQuotaReached-300].Load(); n != manySessions {
		t.Errorf("%d were refused for their quota, want %d", n, manySessions)
	}
}

// holdings is what a server and its process have.
type holdings struct {
	descriptors, goroutines, ports, sessions, places, reserved int
	heap                                                       uint64
}

func (s *Server) holdings(t *testing.T) holdings {
	t.Helper()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return holdings{
		descriptors: openDescriptors(t), goroutines: runtime.NumGoroutine(),
		ports: s.sessions.relays.family[0].ports.available(), sessions: len(s.Sessions()),
		places: s.sessions.accounts.total, reserved: len(s.sessions.reserved.held), heap: m.HeapAlloc,
	}
}

const heapMayGrow = 1 << 20

// wantHeld waits until the server has no more than before.
func wantHeld(t *testing.T, s *Server, before holdings) {
	t.Helper()
	var now holdings
	eventually(t, "everything is let go", func() bool {
		now = s.holdings(t)
		return now.descriptors <= before.descriptors && now.goroutines <= before.goroutines && now.ports == before.ports &&
			now.sessions == 0 && now.places == 0 && now.reserved == 0 && now.heap <= before.heap+heapMayGrow
	})
	t.Logf("before %+v, after %+v", before, now)
}

// crowd are clients that come from ever new addresses.
type crowd struct {
	t      *testing.T
	server *Server
	last   uint32
}

// comeAndGo has n clients ask for a session, of which atATime get one. Each of
// these leaves, every fourth with a permission and a channel.
func (c *crowd) comeAndGo(n int) {
	c.t.Helper()
	answers := new(verdicts)
	var inside []*crowded
	for range n {
		x := c.next(answers)
		x.send(stun.MethodAllocate, requestedUDP)
		if answers.last == stun.ClassSuccessResponse {
			inside = append(inside, x)
		}
	}
	if len(inside) != min(n, atATime) {
		c.t.Fatalf("%d of %d got a session, want %d", len(inside), n, min(n, atATime))
	}
	for i, x := range inside {
		if i%4 == 0 {
			x.send(stun.MethodCreatePermission, peerSetter(x.relay()))
			x.send(stun.MethodChannelBind, channelNumber(0x4000), peerSetter(x.relay()))
		}
		if i%2 == 0 { // the others are ended from outside
			x.send(stun.MethodRefresh, lifetime(0))
		}
		if answers.last != stun.ClassSuccessResponse {
			c.t.Fatal("a request of a session was refused")
		}
	}
	c.server.EndUser("admin")
	// The readers of the relays are on their way out, and with them their ports.
	eventually(c.t, "every port is free again", func() bool {
		return c.server.sessions.relays.family[0].ports.available() == 10000
	})
}

func (c *crowd) next(answers *verdicts) *crowded {
	c.last++
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], 0x0B000000+c.last)
	o := origin{
		tuple:  tuple{client: netip.AddrPortFrom(netip.AddrFrom4(a), 9), local: netip.MustParseAddrPort("127.0.0.1:3478")},
		client: answers,
		user:   identity{username: "admin"},
	}
	nonce := c.server.guard.nonces.make(o.tuple, c.server.clock.now())
	return &crowded{server: c.server, origin: o, asks: &testClient{user: "admin", pass: "secret", nonce: []byte(nonce)}}
}

// crowded is one of them.
type crowded struct {
	server *Server
	origin origin
	asks   *testClient
}

func (x *crowded) send(method stun.Method, attrs ...stun.Setter) {
	setters := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, x.asks.signed(attrs)...)
	x.server.guard.handle(&x.origin, stun.MustBuild(setters...).Raw)
}

// relay is a relay address of this box, which may be a peer on loopback too.
func (x *crowded) relay() netip.AddrPort {
	return x.server.guard.table.get(x.origin.tuple).relayed()[0]
}

// verdicts is a client who hears of an answer whether it is a success.
type verdicts struct{ last stun.MessageClass }

func (v *verdicts) send(packet []byte) (drop, bool) {
	var m message
	if m.parse(packet) == nil {
		v.last = m.kind.Class
	}
	return 0, true
}

func (*verdicts) fits() int { return maxDatagram4 }

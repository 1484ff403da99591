package turnserver

import (
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// pipeline is a session with a channel to a peer on a real socket of loopback,
// let in by hand, since the policy denies it.
type pipeline struct {
	server  *Server
	asks    *testClient
	session *session
	client  *net.UDPConn
	peer    *net.UDPConn
	relay   netip.AddrPort
	up      []byte // ChannelData with 172 bytes
}

const pipelineChannel = 0x4000

func newPipeline(t testing.TB) *pipeline {
	t.Helper()
	s, err := New(testConfig(nil), Options{})
	if err != nil {
		t.Fatal(err)
	}
	before := s.settings.Load()
	serve(t, s)
	// The first look at the addresses of this host asks the policy anew.
	eventually(t, "the server knows its host", func() bool { return s.settings.Load() != before })
	peer, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	c := dial(t, s, "udp")
	p := &pipeline{server: s, asks: c, peer: peer, client: c.conn.(*net.UDPConn), relay: c.allocate()}
	p.session = sessionOf(t, s)
	p.admit()
	p.up = append([]byte{pipelineChannel >> 8, pipelineChannel & 0xFF, 0, 172}, make([]byte, 172)...)
	return p
}

// admit gives the session a permission and a channel for its peer.
func (p *pipeline) admit() {
	perm := &permission{addr: netip.MustParseAddr("127.0.0.1")}
	perm.expires.set(1 << 60)
	ch := &channel{number: pipelineChannel, peer: p.peerAddr(), permission: perm}
	ch.expires.set(1 << 60)
	p.session.flows.Store(noFlows.withPermission(perm).withChannel(ch, 0))
}

func (p *pipeline) peerAddr() netip.AddrPort { return p.peer.LocalAddr().(*net.UDPAddr).AddrPort() }

// sendUp and sendDown send n packets, and take them out at the other end.
func (p *pipeline) sendUp(t testing.TB, n int) {
	t.Helper()
	for range n {
		p.client.Write(p.up)
	}
	drain(t, p.peer, n)
}

func (p *pipeline) sendDown(t testing.TB, n int) {
	t.Helper()
	for range n {
		p.peer.WriteToUDPAddrPort(p.up[channelHeader:], p.relay)
	}
	drain(t, p.client, n)
}

var drained [2048]byte

func drain(t testing.TB, conn *net.UDPConn, n int) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(patience))
	for i := range n {
		if _, _, err := conn.ReadFromUDPAddrPort(drained[:]); err != nil {
			t.Fatalf("packet %d of %d: %v", i+1, n, err)
		}
	}
}

// TestAllocatesNothing guards that no packet costs an allocation, up or down,
// from socket to socket.
func TestAllocatesNothing(t *testing.T) {
	p := newPipeline(t)
	const packets, window = 10_000, 20
	for name, pass := range map[string]func(testing.TB, int){"up": p.sendUp, "down": p.sendDown} {
		pass(t, window) // what is made once
		objects := mallocs()
		for range packets / window {
			pass(t, window)
		}
		if n := float64(mallocs()-objects) / packets; n > mallocsAllowed {
			t.Errorf("%s: %.2f allocations a packet", name, n)
		}
	}
	if up, down := p.session.upPackets.Load(), p.session.downPackets.Load(); up < packets || down < packets {
		t.Errorf("%d packets up and %d down were counted, want %d each", up, down, packets)
	}
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// TestDecisionsAllocateNothing is the same of what is asked for each packet
// alone, indications too.
func TestDecisionsAllocateNothing(t *testing.T) {
	p := newPipeline(t)
	now := p.session.owner.clock.now()
	from := p.peerAddr()
	stranger := netip.AddrPortFrom(from.Addr(), 9)
	var m message
	room := takeBuffer()
	defer giveBuffer(room)
	for name, pass := range map[string]func(){
		"up":                 func() { p.session.owner.table.get(p.session.tuple).sendChannel(now, direct{}, p.up) },
		"down by channel":    func() { p.session.receive(now, direct{}, room, 172, from) },
		"down by indication": func() { p.session.receive(now, direct{}, room, 172, stranger) },
		"strict parsing":     func() { m.parse(p.up) },
	} {
		if n := testing.AllocsPerRun(1000, pass); n != 0 {
			t.Errorf("%s: %v allocations a packet", name, n)
		}
	}
}

func BenchmarkUp(b *testing.B) {
	p := newPipeline(b)
	b.ReportAllocs()
	for b.Loop() {
		p.session.sendChannel(p.session.owner.clock.now(), direct{}, p.up)
	}
}

func BenchmarkDown(b *testing.B) {
	p := newPipeline(b)
	from := p.peerAddr()
	room := takeBuffer()
	defer giveBuffer(room)
	b.ReportAllocs()
	for b.Loop() {
		p.session.receive(p.session.owner.clock.now(), direct{}, room, 172, from)
	}
}

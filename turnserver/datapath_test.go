package turnserver

import (
	"net"
	"net/netip"
	"testing"
)

// pipeline is a session with a channel to a peer on a real socket of loopback,
// let in by hand, and a client on another one.
type pipeline struct {
	session *session
	peer    *net.UDPConn
	client  *net.UDPConn
	up      []byte
}

func newPipeline(t testing.TB) *pipeline {
	t.Helper()
	s := startServer(t, nil)
	listen := func() *net.UDPConn {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	p := &pipeline{peer: listen(), client: listen()}
	dial(t, s, "udp").allocate()
	p.session = sessionOf(t, s)
	client := *p.session.client.(*udpClient)
	client.addr = p.client.LocalAddr().(*net.UDPAddr).AddrPort()
	p.session.client = &client
	perm := &permission{addr: netip.MustParseAddr("127.0.0.1")}
	perm.expires.set(1 << 60)
	ch := &channel{number: 0x4000, peer: p.peer.LocalAddr().(*net.UDPAddr).AddrPort(), permission: perm}
	ch.expires.set(1 << 60)
	p.session.flows.Store(noFlows.withPermission(perm).withChannel(ch, 0))
	p.up = append([]byte{0x40, 0, 0, 172}, make([]byte, 172)...)
	return p
}

// TestAllocatesNothing guards that no packet costs an allocation, up or down.
func TestAllocatesNothing(t *testing.T) {
	p := newPipeline(t)
	from := p.peer.LocalAddr().(*net.UDPAddr).AddrPort()
	stranger := netip.AddrPortFrom(from.Addr(), 9)
	var m message
	buf := takeBuffer()
	defer buf.give()
	for name, pass := range map[string]func(){
		"up":                 func() { p.session.owner.table.get(p.session.tuple).sendChannel(p.up) },
		"down by channel":    func() { p.session.receive(buf, 172, from) },
		"down by indication": func() { p.session.receive(buf, 172, stranger) },
		"strict parsing":     func() { m.parse(p.up) },
	} {
		if n := testing.AllocsPerRun(1000, pass); n != 0 {
			t.Errorf("%s: %v allocations a packet", name, n)
		}
	}
	if up := p.session.upPackets.Load(); up == 0 {
		t.Error("nothing was sent up")
	}
	if down := p.session.downPackets.Load(); down == 0 {
		t.Error("nothing was sent down")
	}
}

func BenchmarkUp(b *testing.B) {
	p := newPipeline(b)
	b.ReportAllocs()
	for b.Loop() {
		p.session.owner.table.get(p.session.tuple).sendChannel(p.up)
	}
}

func BenchmarkDown(b *testing.B) {
	p := newPipeline(b)
	from := p.peer.LocalAddr().(*net.UDPAddr).AddrPort()
	buf := takeBuffer()
	defer buf.give()
	b.ReportAllocs()
	for b.Loop() {
		p.session.receive(buf, 172, from)
	}
}

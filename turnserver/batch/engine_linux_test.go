package batch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const patience = 5 * time.Second

// rig is an engine with one listener, whose handler passes everything on: from
// any client to the peer, and from any peer to the client that spoke last.
type rig struct {
	engine   *Engine
	listener *Listener
	relay    *Relay
	closed   chan struct{}
	peer     netip.AddrPort
	client   atomic.Pointer[Client]
	flow     atomic.Pointer[string] // of the last datagram
	sent     [2]atomic.Int64
	lost     [2]atomic.Int64
	refused  atomic.Int64
	silent   bool // who speaks is not whom peers are passed on to

	address, relayAddress netip.AddrPort
}

func newRig(t testing.TB, workers int, segments bool) *rig {
	t.Helper()
	r := &rig{closed: make(chan struct{})}
	var err error
	r.engine, err = New(Options{Workers: workers, Segments: segments, Handler: func(w *Worker) Handler { return &passOn{r, w} },
		Refused: func(error) { r.refused.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.engine.Close(); err != nil {
			t.Error(err)
		}
	})
	var files []*os.File
	address := "127.0.0.1:0"
	for range workers {
		file, at := openSocket(t, address, true)
		files, r.address, address = append(files, file), at, at.String()
	}
	if r.listener, err = r.engine.Listen(files, false); err != nil {
		t.Fatal(err)
	}
	file, at := openSocket(t, "127.0.0.1:0", false)
	r.relay, r.relayAddress = new(Relay), at
	if err := r.engine.AddRelay(r.relay, 0, file, r, func() { close(r.closed) }); err != nil {
		t.Fatal(err)
	}
	return r
}

// openSocket is a bound UDP socket. With shared it can share its address, which
// the kernel then also gives out again for port 0.
func openSocket(t testing.TB, address string, shared bool) (*os.File, netip.AddrPort) {
	t.Helper()
	at := netip.MustParseAddrPort(address)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if shared {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), "socket"), netip.AddrPortFrom(at.Addr(), uint16(name.(*unix.SockaddrInet4).Port))
}

// passOn is the handler of a rig.
type passOn struct {
	*rig
	w *Worker
}

func (p *passOn) Begin() {}
func (p *passOn) End()   {}

func (p *passOn) FromClient(d *Datagram) {
	t := d.Tuple()
	if c := p.client.Load(); !p.silent && (c == nil || c.to.addrPort() != t.Client) {
		p.client.Store(p.listener.NewClient(t.Client, nil))
	}
	name, _ := d.Flow.(string)
	p.flow.Store(&name)
	if string(d.Packet) == "wait" { // tells what Settle has to wait for
		time.Sleep(50 * time.Millisecond)
	}
	p.w.ToPeer(p.relay, d.Packet, p.peer, p)
}

func (p *passOn) FromPeer(r *Relay, slot []byte, n int, from netip.AddrPort) {
	if c := p.client.Load(); c != nil && r.Owner == p.rig {
		p.w.ToClient(c, slot[Headroom:Headroom+n], n, p)
	}
}

func (p *passOn) Overflowed(uint32) {}

func (p *passOn) Sent(d Direction, packets, _ int)         { p.sent[d].Add(int64(packets)) }
func (p *passOn) Lost(d Direction, n int, _ syscall.Errno) { p.lost[d].Add(int64(n)) }

func dialUDP(t *testing.T, to netip.AddrPort) *net.UDPConn {
	t.Helper()
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetReadBuffer(4 << 20)
	return conn
}

// openPeer opens the rig's peer.
func (r *rig) openPeer(t *testing.T) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetReadBuffer(4 << 20)
	r.peer = conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return conn
}

// packet number i, of a size, every byte of it told apart.
func packet(i, size int) []byte {
	b := make([]byte, size)
	for j := range b {
		b[j] = byte(i + j)
	}
	if size >= 4 {
		binary.BigEndian.PutUint32(b, uint32(i))
	}
	return b
}

// wantPackets reads as many packets as sizes has, in order and whole.
func wantPackets(t *testing.T, conn *net.UDPConn, sizes []int) {
	t.Helper()
	buf := make([]byte, 65536)
	conn.SetReadDeadline(time.Now().Add(patience))
	for i, size := range sizes {
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		if !bytes.Equal(buf[:n], packet(i, size)) {
			t.Fatalf("packet %d of %d bytes came as %d bytes, or with others in it", i, size, n)
		}
	}
}

// mixtures are runs as trains are cut from them.
var mixtures = map[string][]int{
	"one":                   {172},
	"empty":                 {0},
	"equal":                 repeat(1200, 16),
	"the last shorter":      append(repeat(1200, 15), 700),
	"shorter in between":    append(append(repeat(1200, 5), 700), repeat(1200, 5)...),
	"longer in between":     append(append(repeat(700, 5), 1200), repeat(700, 5)...),
	"more than a train":     repeat(100, 200),
	"more than 64 KB":       repeat(9000, 10),
	"empty among others":    {10, 10, 0, 10, 10},
	"as large as can be":    {65507, 65507, 1},
	"all of another length": {1, 2, 3, 4, 5, 4, 3, 2, 1},
}

func repeat(size, n int) []int {
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = size
	}
	return sizes
}

// TestPassesOn: whatever is sent comes out as it was, in its order, both ways,
// with trains and without.
func TestPassesOn(t *testing.T) {
	for name, sizes := range mixtures {
		for _, segments := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, trains %t", name, segments), func(t *testing.T) {
				r := newRig(t, 1, segments)
				peer, client := r.openPeer(t), dialUDP(t, r.address)
				// What waits when the worker begins is handled in one turn.
				for i, size := range sizes {
					client.Write(packet(i, size))
				}
				r.engine.Start()
				wantPackets(t, peer, sizes)
				for i, size := range sizes {
					peer.WriteToUDPAddrPort(packet(i, size), r.relayAddress)
				}
				wantPackets(t, client, sizes)
				r.wantCounted(t, len(sizes))
			})
		}
	}
}

func (r *rig) wantCounted(t *testing.T, packets int) {
	t.Helper()
	for _, d := range []Direction{Up, Down} {
		eventually(t, "all are counted", func() bool { return r.sent[d].Load() == int64(packets) })
		if lost := r.lost[d].Load(); lost != 0 {
			t.Errorf("%d were lost", lost)
		}
	}
	if n := r.refused.Load(); n != 0 {
		t.Errorf("trains were refused %d times", n)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal("it never came about: " + what)
}

// TestFlows: what Add has entered comes with each datagram, until it is removed.
func TestFlows(t *testing.T) {
	r := newRig(t, 1, true)
	peer, client := r.openPeer(t), dialUDP(t, r.address)
	r.engine.Start()
	at := Tuple{Client: client.LocalAddr().(*net.UDPAddr).AddrPort(), Local: r.address}
	sees := func(want string) {
		t.Helper()
		client.Write(packet(0, 100))
		wantPackets(t, peer, []int{100})
		if got := *r.flow.Load(); got != want {
			t.Errorf("the flow is %q, want %q", got, want)
		}
	}
	sees("")
	r.engine.Add(0, r.listener, at, "one")
	sees("one")
	r.engine.Remove(0, r.listener, at, "another")
	sees("one")
	r.engine.Remove(0, r.listener, at, "one")
	r.engine.Add(0, r.listener, at, "two")
	sees("two")
	r.engine.Remove(0, r.listener, at, "two")
	sees("")
}

// TestKeys: senders that differ in anything have flows of their own.
func TestKeys(t *testing.T) {
	f := newFlows()
	seen := make(map[string]bool)
	for _, client := range []string{"1.2.3.4:5", "1.2.3.4:6", "1.2.3.5:5", "[2001:db8::1]:5", "[::1.2.3.4]:5"} {
		for _, local := range []string{"9.9.9.9:3478", "[2001:db8::9]:3478", "8.8.8.8:3478"} {
			for listener := range 2 {
				s := senderOf(Tuple{netip.MustParseAddrPort(client), netip.MustParseAddrPort(local)}, listener, true)
				if f.get(&s) != nil {
					t.Errorf("%s to %s of listener %d is taken for another", client, local, listener)
				}
				name := fmt.Sprint(client, local, listener)
				f.put(&s, name)
				seen[name] = f.get(&s) == name
			}
		}
	}
	for name, ok := range seen {
		if !ok {
			t.Error(name, "is not found")
		}
	}
}

// TestClose: a closed relay lets its port go and passes nothing more, and the
// worker goes on.
func TestClose(t *testing.T) {
	r := newRig(t, 1, true)
	peer, client := r.openPeer(t), dialUDP(t, r.address)
	r.engine.Start()
	client.Write(packet(0, 100))
	wantPackets(t, peer, []int{100})
	r.relay.Close()
	r.relay.Close()
	select {
	case <-r.closed:
	case <-time.After(patience):
		t.Fatal("the relay is not closed")
	}
	openSocket(t, r.relayAddress.String(), false) // the port is free
	sent := r.sent[Up].Load()
	client.Write(packet(1, 100))
	eventually(t, "the worker goes on", func() bool { client.Write(packet(1, 100)); return r.client.Load() != nil })
	r.engine.Settle()
	if now := r.sent[Up].Load(); now != sent {
		t.Errorf("%d packets passed a closed relay", now-sent)
	}
}

// TestSettle: what was let pass before has left when it returns.
func TestSettle(t *testing.T) {
	r := newRig(t, 2, true)
	r.openPeer(t)
	client := dialUDP(t, r.address)
	r.engine.Start()
	begun := time.Now()
	client.Write([]byte("wait"))
	eventually(t, "a worker is at it", func() bool {
		return r.engine.workers[0].turns.Load()%2 == 1 || r.engine.workers[1].turns.Load()%2 == 1
	})
	r.engine.Settle()
	if took := time.Since(begun); took < 40*time.Millisecond || r.sent[Up].Load() != 1 {
		t.Errorf("it returned after %v, with %d packets sent", took, r.sent[Up].Load())
	}
}

// TestDeaf: after Deafen nothing of a client is handled any more, and relays go
// on.
func TestDeaf(t *testing.T) {
	r := newRig(t, 2, true)
	peer, client := r.openPeer(t), dialUDP(t, r.address)
	r.engine.Start()
	client.Write(packet(0, 100))
	wantPackets(t, peer, []int{100})
	r.engine.Deafen()
	client.Write(packet(1, 100))
	peer.WriteToUDPAddrPort(packet(0, 50), r.relayAddress)
	wantPackets(t, client, []int{50})
	if n := r.sent[Up].Load(); n != 1 {
		t.Errorf("%d packets of the client were passed on, want 1", n)
	}
}

// TestDeafenAmongCommands: Deafen waits for the worker to be deaf, and not for commands
// that come after that, which wake no worker.
func TestDeafenAmongCommands(t *testing.T) {
	r := newRig(t, 1, true)
	r.engine.Start()
	commands := &r.engine.workers[0].commands
	held, hold := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	defer release()
	commands.add(func(*Worker) { close(held); <-hold }, true)
	<-held
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.engine.Deafen()
	}()
	eventually(t, "Deafen to have asked", commands.pending.Load)
	commands.add(func(w *Worker) { w.commands.add(func(*Worker) {}, false) }, false)
	release()
	select {
	case <-done:
	case <-time.After(patience):
		t.Error("it waits for ever")
		commands.add(func(*Worker) {}, true)
		<-done
	}
}

// TestRelaysComeAndGo adds and closes relays while another one carries packets.
func TestRelaysComeAndGo(t *testing.T) {
	r := newRig(t, 1, true)
	peer, client := r.openPeer(t), dialUDP(t, r.address)
	r.engine.Start()
	stop := make(chan struct{})
	var traffic sync.WaitGroup
	traffic.Go(func() {
		buf := make([]byte, 2048)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			client.Write(packet(i, 200))
			peer.SetReadDeadline(time.Now().Add(patience))
			if n, err := peer.Read(buf); err != nil || n != 200 {
				t.Errorf("packet %d: %d bytes, %v", i, n, err)
				return
			}
		}
	})
	var closed sync.WaitGroup
	for range 2000 {
		file, at := openSocket(t, "127.0.0.1:0", false)
		x := new(Relay)
		closed.Add(1)
		if err := r.engine.AddRelay(x, 0, file, nil, closed.Done); err != nil {
			t.Fatal(err)
		}
		client.WriteToUDPAddrPort(nil, at)
		peer.WriteToUDPAddrPort(packet(0, 10), at)
		x.Close()
	}
	closed.Wait()
	close(stop)
	traffic.Wait()
	if n := r.engine.workers[0].slots.count; n > 2001 {
		t.Errorf("%d slots for 2001 relays", n)
	}
}

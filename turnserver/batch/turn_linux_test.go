package batch

import (
	"net/netip"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
)

// counting is a handler that counts.
type counting struct {
	up, down atomic.Int64
	before   int64        // of down, when the turn began
	most     atomic.Int64 // of down in one turn
}

func (h *counting) End() {}

func (h *counting) Begin() {
	now := h.down.Load()
	h.most.Store(max(h.most.Load(), now-h.before))
	h.before = now
}

func (h *counting) FromClient(*Datagram)                         { h.up.Add(1) }
func (h *counting) FromPeer(*Relay, []byte, int, netip.AddrPort) { h.down.Add(1) }
func (h *counting) Overflowed(uint32)                            {}

// newEngine is one worker with a listener, not started.
func newEngine(t *testing.T, handler func(*Worker) Handler) (e *Engine, listener netip.AddrPort) {
	t.Helper()
	e, err := New(Options{Workers: 1, Handler: handler})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	file, at := openSocket(t, "127.0.0.1:0", true)
	if _, err := e.Listen([]*os.File{file}, false); err != nil {
		t.Fatal(err)
	}
	return e, at
}

// TestTurnEnds: however many relays have something, a turn takes a share of it, and
// clients have theirs in between.
func TestTurnEnds(t *testing.T) {
	const relays, each, clients = 200, 64, 1000
	h := new(counting)
	e, listener := newEngine(t, func(*Worker) Handler { return h })
	for range relays {
		file, at := openSocket(t, "127.0.0.1:0", false)
		if err := e.AddRelay(new(Relay), 0, file, nil, func() {}); err != nil {
			t.Fatal(err)
		}
		peer := dialUDP(t, at)
		for range each {
			peer.Write([]byte("x"))
		}
	}
	client := dialUDP(t, listener)
	for range clients {
		client.Write([]byte("x"))
	}
	e.Start()
	eventually(t, "all to be read", func() bool { return h.down.Load() == relays*each && h.up.Load() > 0 })
	const share = readyShare * (relayShare + relayBatch)
	if n := h.most.Load(); n > share {
		t.Errorf("%d datagrams of peers in one turn, want %d at most", n, share)
	}
}

// TestReadyForgets: what relays that were ready together belonged to is let go of when
// they are closed.
func TestReadyForgets(t *testing.T) {
	const relays = 100
	h := new(counting)
	e, _ := newEngine(t, func(*Worker) Handler { return h })
	var freed atomic.Int64
	closed := make(chan struct{}, relays)
	all := make([]*Relay, relays)
	for i := range all {
		file, at := openSocket(t, "127.0.0.1:0", false)
		owner := new([4096]byte)
		runtime.AddCleanup(owner, func(n *atomic.Int64) { n.Add(1) }, &freed)
		all[i] = new(Relay)
		if err := e.AddRelay(all[i], 0, file, owner, func() { closed <- struct{}{} }); err != nil {
			t.Fatal(err)
		}
		dialUDP(t, at).Write([]byte("x"))
	}
	e.Start()
	eventually(t, "all to be read", func() bool { return h.down.Load() == relays })
	for i, r := range all {
		r.Close()
		<-closed
		all[i] = nil
	}
	eventually(t, "the owners to be let go of", func() bool {
		runtime.GC()
		return freed.Load() >= relays-1
	})
}

// closer is a handler that passes a datagram on to a relay that it closes then.
type closer struct {
	counting
	worker     *Worker
	relay      *Relay
	sent, lost atomic.Int64
}

func (h *closer) FromClient(d *Datagram) {
	h.worker.ToPeer(h.relay, d.Packet, netip.MustParseAddrPort("127.0.0.1:9"), h)
	h.relay.Close()
}

func (h *closer) Sent(_ Direction, packets, _ int)               { h.sent.Add(int64(packets)) }
func (h *closer) Lost(_ Direction, packets int, _ syscall.Errno) { h.lost.Add(int64(packets)) }

// TestEndedIsTold: what waited at a relay that was closed is lost, and counted.
func TestEndedIsTold(t *testing.T) {
	h := &closer{relay: new(Relay)}
	e, listener := newEngine(t, func(w *Worker) Handler { h.worker = w; return h })
	file, _ := openSocket(t, "127.0.0.1:0", false)
	if err := e.AddRelay(h.relay, 0, file, nil, func() {}); err != nil {
		t.Fatal(err)
	}
	e.Start()
	dialUDP(t, listener).Write([]byte("x"))
	eventually(t, "it to be counted", func() bool { return h.lost.Load() == 1 })
	if n := h.sent.Load(); n != 0 {
		t.Errorf("%d were sent", n)
	}
}

// TestTryWithoutPreemption: a worker that waits can't be stopped there.
func TestTryWithoutPreemption(t *testing.T) {
	t.Setenv("GODEBUG", "asyncpreemptoff=1")
	if Try().Err == nil {
		t.Error("batch would be chosen")
	}
}

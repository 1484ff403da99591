package batch

import (
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestNotTogether: datagrams of one size that wait together reach the peer or the client
// that each is for.
func TestNotTogether(t *testing.T) {
	r := newRig(t, 1, true)
	w := r.engine.workers[0]
	var ends [2]*net.UDPConn
	var to [2]netip.AddrPort
	var clients [2]*Client
	for i := range ends {
		ends[i] = r.openPeer(t)
		to[i], clients[i] = r.peer, r.listener.NewClient(r.peer, nil)
	}
	h := &passOn{r, w}
	const each = 4
	for i := range 2 * each {
		w.ToPeer(r.relay, packet(i/2, 100), to[i%2], h)
	}
	w.Flush()
	for i := range 2 * each {
		w.ToClient(clients[i%2], packet(i/2, 100), 100, h)
	}
	w.Flush()
	for _, end := range ends {
		for range 2 {
			wantPackets(t, end, repeat(100, each))
		}
	}
}

// turnRound is a Handler that sends back from a Room what clients have sent.
type turnRound struct{ *passOn }

func (h turnRound) FromClient(d *Datagram) {
	room := h.w.Room()
	n := copy(room[Headroom:], d.Packet)
	h.w.ToClient(h.listener.NewClient(d.Tuple().Client, nil), room[Headroom:][:n], n, h)
}

// TestManyRooms: one turn can take more Rooms than there are, and what is in them leaves
// before another gets them.
func TestManyRooms(t *testing.T) {
	r := newRig(t, 1, true)
	w := r.engine.workers[0]
	w.handler = turnRound{&passOn{r, w}}
	client := dialUDP(t, r.address)
	const each = maxSegments - 1 // so that no slot gets twice what is the same
	const trains = relaySlots/each + 1
	for range trains {
		sendTrain(t, client, nil, repeat(100, each))
	}
	r.engine.Start() // and all are there
	for range trains {
		wantPackets(t, client, repeat(100, each))
	}
}

// TestGivenUp: where each datagram of a refused train passes alone, there are no more.
func TestGivenUp(t *testing.T) {
	for _, d := range []Direction{Up, Down} {
		r := newRig(t, 1, true)
		peer, client := r.openPeer(t), dialUDP(t, r.address)
		fd := r.relay.fd
		if d == Down {
			fd = r.listener.sockets[0].fd
		}
		// Without checksums the kernel makes no trains: EIO.
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NO_CHECK, 1); err != nil {
			t.Fatal(err)
		}
		r.engine.Start()
		client.Write(packet(0, 100)) // so that the peer's train finds it
		wantPackets(t, peer, []int{100})
		if d == Up {
			sendTrain(t, client, nil, repeat(100, 3))
			wantPackets(t, peer, repeat(100, 3))
		} else {
			sendTrain(t, peer, net.UDPAddrFromAddrPort(r.relayAddress), repeat(100, 3))
			wantPackets(t, client, repeat(100, 3))
		}
		eventually(t, "it is told", func() bool { return r.refused.Load() == 1 && !r.engine.Segments() })
	}
}

// bytesSent is a Tally of bytes alone.
type bytesSent struct{ n int }

func (b *bytesSent) Sent(_ Direction, _, bytes int)           { b.n += bytes }
func (b *bytesSent) Lost(_ Direction, _ int, _ syscall.Errno) {}

// TestLeavesAsTrain: what waits together for one end leaves in one piece, and all of it is
// counted.
func TestLeavesAsTrain(t *testing.T) {
	r := newRig(t, 1, true)
	w := r.engine.workers[0]
	end := r.openPeer(t)
	raw, err := end.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { err = mergeReceived(int(fd)) })
	if err != nil {
		t.Fatal(err)
	}
	client := r.listener.NewClient(r.peer, nil)
	sent := new(bytesSent)
	for d, send := range map[Direction]func(){
		Up:   func() { w.ToPeer(r.relay, packet(0, 100), r.peer, sent) },
		Down: func() { w.ToClient(client, packet(0, 100), 100, sent) },
	} {
		const count = 16
		sent.n = 0
		for range count {
			send()
		}
		w.Flush()
		buf := make([]byte, 65536)
		end.SetReadDeadline(time.Now().Add(patience))
		if n, err := end.Read(buf); n != count*100 {
			t.Errorf("direction %d: %d bytes came in one piece, want %d: %v", d, n, count*100, err)
		}
		if sent.n != count*100 {
			t.Errorf("direction %d: %d bytes were counted, want %d", d, sent.n, count*100)
		}
	}
}

// overflowing is a Handler that adds up what the kernel threw away.
type overflowing struct {
	*passOn
	lost *atomic.Int64
}

func (h overflowing) Overflowed(n uint32) { h.lost.Add(int64(n)) }

// TestOverflow: what a full buffer threw away is counted with the next datagram, of
// clients and of peers.
func TestOverflow(t *testing.T) {
	for _, ofPeers := range []bool{false, true} {
		r := newRig(t, 1, true)
		r.openPeer(t)
		w := r.engine.workers[0]
		var lost atomic.Int64
		w.handler = overflowing{&passOn{r, w}, &lost}
		fd, to := r.listener.sockets[0].fd, r.address
		if ofPeers {
			fd, to = r.relay.fd, r.relayAddress
		}
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil { // the least there is
			t.Fatal(err)
		}
		from := dialUDP(t, to)
		for range 100 {
			from.Write(packet(0, 100))
		}
		r.engine.Start()
		eventually(t, "it is counted", func() bool {
			from.Write(packet(0, 100))
			return lost.Load() > 0
		})
	}
}

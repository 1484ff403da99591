package bench

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// firstPeer is the peer's first port, one for each flow.
const firstPeer = 20000

// receiveBuffer is what a socket of the generator may hold, so that what is lost
// is not lost there.
const receiveBuffer = 4 << 20

// flows are calls through a server: each has a client's socket with a session of
// its own, a channel, a relayed address, and a peer's socket. All are connected,
// so that what comes from elsewhere meets no socket and is counted by the kernel.
type flows struct {
	load    *load
	peers   []int
	streams []stream   // nil where clients are ones over UDP
	tracks  [2][]track // by direction
}

// flows opens that many through the server of the field, from clients' sockets of that type.
func (f *field) flows(socket, count int) (*flows, error) { return f.flowsFrom(0, socket, count) }

// flowsFrom opens them so many ports above the first.
func (f *field) flowsFrom(above, socket, count int) (*flows, error) {
	l, err := f.loadFrom(above, socket, count)
	if err != nil {
		return nil, err
	}
	w := &flows{load: l, tracks: [2][]track{make([]track, count), make([]track, count)}}
	if socket == unix.SOCK_STREAM {
		w.streams = make([]stream, count)
	}
	if err := w.open(f, above, count); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *flows) open(f *field, above, count int) error {
	addresses := make([]netip.AddrPort, count)
	for i := range addresses {
		addresses[i] = netip.AddrPortFrom(f.peer.Addr(), uint16(firstPeer+above+i))
	}
	r, err := w.load.run(job{count: count, window: min(*window, count), hold: true, peers: addresses})
	if err != nil {
		return fmt.Errorf("open %d flows: %w", count, err)
	}
	err = f.peer.Do(func() error {
		for i, relayed := range r.relayed {
			fd, err := connected(unix.SOCK_DGRAM, addresses[i], relayed)
			if err != nil {
				return fmt.Errorf("the peer of flow %d, relayed by %v: %w", i, relayed, err)
			}
			w.peers = append(w.peers, fd)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, fd := range append(w.peers, w.load.sockets...) {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer); err != nil {
			return fmt.Errorf("the receive buffer of a flow: %w", err)
		}
	}
	return nil
}

// count is how many flows there are.
func (w *flows) count() int { return len(w.peers) }

// from is the socket that a flow's packets leave by.
func (w *flows) from(flow int, way direction) int {
	if way == up {
		return w.load.sockets[flow]
	}
	return w.peers[flow]
}

// to is the socket that they arrive at.
func (w *flows) to(flow int, way direction) int { return w.from(flow, up+down-way) }

// silent names the first flow of which nothing came in the last run.
func (w *flows) silent() string {
	for _, way := range []direction{up, down} {
		for i, t := range w.tracks[way] {
			if t.newest <= t.begun {
				return fmt.Sprintf(", and none of flow %d, %v", i, way)
			}
		}
	}
	return ""
}

func (w *flows) close() {
	w.load.close()
	for _, fd := range w.peers {
		unix.Close(fd)
	}
}

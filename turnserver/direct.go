package turnserver

import (
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// direct is the lane of who sends each packet at once: goroutines of the plain path, of
// streams and of the desk by passUp and passDown, and a worker of batch within its turn.
type direct struct{}

func (direct) toPeer(s *session, r *relay, payload []byte, to netip.AddrPort, df bool) {
	if err := r.socket.send(payload, to, df); err != nil {
		s.drop(sendDrop(err))
		return
	}
	s.up(1, len(payload))
}

func (direct) toClient(s *session, packet []byte, size int) {
	if why, ok := s.client.send(packet); !ok {
		s.drop(why)
		return
	}
	s.down(1, size)
}

func (direct) room() []byte     { return takeBuffer() }
func (direct) done(room []byte) { giveBuffer(room) }
func (direct) flush()           {}

// passUp passes on what a client sent: ChannelData or a Send indication.
func (g *guard) passUp(s *session, packet []byte, m *message) {
	in := s.owner.inHand.enter(s.id)
	g.data(g.clock.now(), direct{}, s, packet, m)
	in.leave()
}

// passDown passes on what a peer sent: n bytes in a room.
func (s *session) passDown(room []byte, n int, from netip.AddrPort) {
	in := s.owner.inHand.enter(s.id)
	s.receive(s.owner.clock.now(), direct{}, room, n, from)
	in.leave()
}

// inHand are the packets that goroutines have in hand: it may be decided that one
// passes, and it is not sent yet. A goroutine can lose the CPU between the two, for as
// long as others want it. settle waits for those of before.
//
// No packet waits. They are counted in one of two phases, as in sleepable RCU: settle
// has the next ones counted in the other, and waits until this one is empty. Each is
// counted in one of several places, so that goroutines do not share a cache line.
type inHand struct {
	mu     sync.Mutex // of who waits
	phase  atomic.Uint32
	_      [64]byte // everybody reads phase, and nobody shall share its line who writes
	places [handPlaces]handPlace
}

const handPlaces = 32

type handPlace struct {
	packets [2]packetsInHand
	_       [48]byte // the rest of a cache line
}

type packetsInHand struct{ n atomic.Int64 }

func (p *packetsInHand) leave() { p.n.Add(-1) }

// enter comes before anything is asked about a packet, and leave after it is sent or
// dropped.
func (h *inHand) enter(place uint64) *packetsInHand {
	p := &h.places[place%handPlaces].packets[h.phase.Load()]
	p.n.Add(1)
	return p
}

// settle returns when no packet is in hand any more that was before. Who has one must
// not call it.
func (h *inHand) settle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	phase := h.phase.Load()
	h.empty(1 - phase) // of those that have come in while phase began
	h.phase.Store(1 - phase)
	h.empty(phase)
}

// empty waits until no packet of a phase is in hand. Next to none comes in.
func (h *inHand) empty(phase uint32) {
	for i := range h.places {
		for tries := 0; h.places[i].packets[phase].n.Load() != 0; tries++ {
			if tries < 100 {
				runtime.Gosched()
			} else {
				time.Sleep(20 * time.Microsecond)
			}
		}
	}
}

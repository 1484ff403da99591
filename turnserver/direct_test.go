package turnserver

import (
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestInHand: what was looked at before settle began is over when it returns.
func TestInHand(t *testing.T) {
	type rule struct{ forbids, inForce atomic.Bool }
	var h inHand
	var now atomic.Pointer[rule]
	now.Store(new(rule))
	var late atomic.Int64
	var stop atomic.Bool
	var readers sync.WaitGroup
	for i := range uint64(8) {
		readers.Go(func() {
			for n := 0; !stop.Load(); n++ {
				in := h.enter(i % 3)
				r := now.Load()
				if !r.forbids.Load() {
					if n%8 == 0 {
						time.Sleep(10 * time.Microsecond)
					}
					if r.inForce.Load() {
						late.Add(1)
					}
				}
				in.leave()
				runtime.Gosched()
			}
		})
	}
	for range 1000 {
		r := now.Load()
		r.forbids.Store(true)
		h.settle()
		r.inForce.Store(true)
		now.Store(new(rule))
	}
	stop.Store(true)
	readers.Wait()
	if n := late.Load(); n > 0 {
		t.Errorf("%d packets were sent after settle had returned", n)
	}
}

// TestSettle: settle waits for one of before, not for one that came meanwhile, and for
// one that has looked up where it counts long ago.
func TestSettle(t *testing.T) {
	const aMoment = 5 * time.Millisecond
	var h inHand
	settle := func() chan struct{} {
		done := make(chan struct{})
		go func() { defer close(done); h.settle() }()
		return done
	}
	before := h.enter(0)
	settled := settle()
	eventually(t, "others are counted apart", func() bool { return h.phase.Load() == 1 })
	meanwhile := h.enter(0)
	select {
	case <-settled:
		t.Fatal("it does not wait")
	case <-time.After(aMoment):
	}
	before.leave()
	select {
	case <-settled:
	case <-time.After(patience):
		t.Fatal("it waits for one that came meanwhile")
	}
	meanwhile.leave()
	late := &h.places[0].packets[h.phase.Load()]
	h.settle()
	late.n.Add(1)
	settled = settle()
	select {
	case <-settled:
		t.Fatal("it does not wait for who came late")
	case <-time.After(aMoment):
	}
	late.leave()
	<-settled
}

// stalled is where a packet is in hand for as long as the test wants.
type stalled struct {
	relaySocket
	reached, goOn chan struct{}
	sent          atomic.Bool
}

func newStalled() *stalled { return &stalled{reached: make(chan struct{}), goOn: make(chan struct{})} }

func (h *stalled) hold() {
	h.reached <- struct{}{}
	<-h.goOn
	h.sent.Store(true)
}

func (h *stalled) send([]byte, netip.AddrPort, bool) error { h.hold(); return nil }

// stalledClient is the same towards the client.
type stalledClient struct{ *stalled }

func (c stalledClient) send([]byte) (drop, bool) { c.hold(); return 0, true }
func (stalledClient) fits() int                  { return maxDatagram4 }

// stallUp has what the session's client sends next stay in hand.
func (p *pipeline) stallUp() *stalled {
	r := p.session.relays[0].Load()
	h := newStalled()
	h.relaySocket = r.socket
	slow := &relay{session: r.session, socket: h, addr: r.addr}
	p.session.relays[0].Store(slow)
	p.session.owner.relays.publish(slow)
	return h
}

// inHands are all goroutines that send packets at once. Each has one in hand.
var inHands = map[string]func(t *testing.T, p *pipeline) (*session, *stalled){
	"of a UDP listener": func(t *testing.T, p *pipeline) (*session, *stalled) {
		h := p.stallUp()
		p.client.Write(p.up)
		return p.session, h
	},
	"of a stream": func(t *testing.T, p *pipeline) (*session, *stalled) {
		c := p.overStream(t)
		h := p.stallUp()
		c.write(p.up)
		return p.session, h
	},
	"of the desk": func(t *testing.T, p *pipeline) (*session, *stalled) {
		h := p.stallUp()
		d := newDesk()
		d.open(p.server.guard)
		t.Cleanup(d.close)
		d.put(origin{tuple: p.session.tuple}, p.session, p.up)
		return p.session, h
	},
	"of a relay": func(t *testing.T, p *pipeline) (*session, *stalled) {
		p.server.End(p.session.id)
		h := newStalled()
		user, _ := p.server.settings.Load().credentials.find("admin")
		at := tuple{client: netip.MustParseAddrPort("1.1.1.1:1"), local: netip.MustParseAddrPort("127.0.0.1:1")}
		s, refused := p.server.sessions.begin(user, at, stalledClient{h}, transactionID{}, wanted{families: []byte{familyIPv4}, lifetime: time.Hour})
		if refused != nil {
			t.Fatalf("no session: %d", refused.code)
		}
		p.session = s
		p.admit()
		p.peer.WriteToUDPAddrPort(p.up[channelHeader:], s.relayed()[0])
		return s, h
	},
}

// TestPacketInHand: a session has ended when the packet is sent that a goroutine had in
// hand, and not before, and that is counted.
func TestPacketInHand(t *testing.T) {
	t.Setenv("ICEBOX_TURN_RELAY_DATAPATH", "plain")
	for name, have := range inHands {
		t.Run(name, func(t *testing.T) {
			p := newPipeline(t)
			s, h := have(t, p)
			<-h.reached
			ended := make(chan bool)
			go func() {
				p.server.End(s.id)
				ended <- h.sent.Load()
			}()
			eventually(t, "the session is ending", s.over)
			time.Sleep(10 * time.Millisecond)
			close(h.goOn)
			if !<-ended {
				t.Error("it had ended with a packet in hand")
			}
			past := &p.server.sessions.past
			if n := past.upPackets.Load() + past.downPackets.Load(); n != 1 {
				t.Errorf("%d packets are counted, want 1", n)
			}
			p.server.guard.passUp(s, p.up, new(message)) // by who had found it before
			if n := past.drops[dropNoChannel].Load(); n != 1 {
				t.Errorf("%d packets that came after the end are counted, want 1", n)
			}
		})
	}
}

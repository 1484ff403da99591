package turnserver

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v2"

	"icebox/config"
)

// flood is numbered packets that go through a pipeline without a break, in one
// direction.
type flood struct {
	next  atomic.Uint64 // number of the packet that is sent next
	heard atomic.Uint64 // the highest that came out, and one more
	stop  chan struct{}
	done  sync.WaitGroup
}

// startFlood sends with send, and looks for what comes out at out. number finds
// the number in a packet.
func startFlood(t testing.TB, out *net.UDPConn, send func(number []byte), number func([]byte) []byte) *flood {
	f := &flood{stop: make(chan struct{})}
	t.Cleanup(f.end)
	f.done.Go(func() {
		var b [8]byte
		for f.on() {
			binary.BigEndian.PutUint64(b[:], f.next.Add(1)-1)
			send(b[:])
			if f.next.Load()%16 == 0 {
				time.Sleep(100 * time.Microsecond)
			}
		}
	})
	f.done.Go(func() {
		buf := make([]byte, 2048)
		for f.on() {
			out.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			n, err := out.Read(buf)
			if b := number(buf[:n]); err == nil && len(b) == 8 {
				f.heard.Store(max(f.heard.Load(), binary.BigEndian.Uint64(b)+1))
			} else if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				return
			}
		}
	})
	return f
}

func (f *flood) on() bool {
	select {
	case <-f.stop:
		return false
	default:
		return true
	}
}

func (f *flood) end() {
	if f.on() {
		close(f.stop)
	}
	f.done.Wait()
}

// floods run both ways through a pipeline.
func (p *pipeline) floods(t testing.TB) (up, down *flood) {
	up = startFlood(t, p.peer, func(number []byte) {
		p.client.Write(append([]byte{pipelineChannel >> 8, pipelineChannel & 0xFF, 0, 8}, number...))
	}, func(b []byte) []byte { return b })
	down = startFlood(t, p.client, func(number []byte) {
		p.peer.WriteToUDPAddrPort(number, p.relay)
	}, func(b []byte) []byte { return b[min(len(b), channelHeader):] })
	return up, down
}

// endings are all ways in which a flow ends that packets still come for. Each
// returns when it has ended.
var endings = map[string]func(t *testing.T, p *pipeline, c *testClient){
	"permission over": func(_ *testing.T, p *pipeline, _ *testClient) {
		p.session.flows.Load().permissions[0].expires.set(p.session.owner.clock.now())
		p.session.owner.settle()
	},
	"session over": func(_ *testing.T, p *pipeline, _ *testClient) {
		p.session.expires.set(p.session.owner.clock.now())
		p.session.owner.settle()
	},
	"Refresh with a lifetime of 0": func(t *testing.T, p *pipeline, c *testClient) {
		// By hand: who reads the client's socket looks for packets of peers.
		o := origin{tuple: p.session.tuple, client: new(discard)}
		setters := append([]stun.Setter{stun.TransactionID, stun.NewType(stun.MethodRefresh, stun.ClassRequest)}, c.signed([]stun.Setter{lifetime(0)})...)
		p.server.guard.handle(&o, stun.MustBuild(setters...).Raw)
		if len(p.server.Sessions()) != 0 {
			t.Error("the Refresh was refused")
		}
	},
	"one of its relays given up": func(_ *testing.T, p *pipeline, _ *testClient) {
		p.session.close(0)
		p.session.owner.settle()
	},
	"session ended": func(t *testing.T, p *pipeline, _ *testClient) {
		if !p.server.End(p.session.id) {
			t.Error("no such session")
		}
	},
	"user removed": func(_ *testing.T, p *pipeline, _ *testClient) {
		p.server.Update(testConfig(func(c *config.Config) { c.TURN.Users = c.TURN.Users[1:] }))
	},
	"peer denied": func(_ *testing.T, p *pipeline, _ *testClient) {
		p.server.Update(testConfig(nil)) // loopback is no peer to any policy
	},
}

// TestSilence: once a flow has ended, not one packet more passes, up or down,
// however many come.
func TestSilence(t *testing.T) {
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			p := newPipeline(t)
			up, down := p.floods(t)
			for what, f := range map[string]*flood{"up": up, "down": down} {
				eventually(t, what+": packets pass", func() bool { return f.heard.Load() > 100 })
			}
			end(t, p, p.asks)
			wantSilence(t, up, down)
		})
	}
}

// wantSilence ends two floods of which nothing may pass any more, after many more
// packets have come.
func wantSilence(t *testing.T, up, down *flood) {
	t.Helper()
	lastUp, lastDown := up.next.Load(), down.next.Load()
	eventually(t, "packets go on to come", func() bool {
		return up.next.Load() > lastUp+500 && down.next.Load() > lastDown+500
	})
	time.Sleep(50 * time.Millisecond)
	up.end()
	down.end()
	if late := int64(up.heard.Load()) - int64(lastUp); late > 0 {
		t.Errorf("up: %d packets more passed", late)
	}
	if late := int64(down.heard.Load()) - int64(lastDown); late > 0 {
		t.Errorf("down: %d packets more passed", late)
	}
}

// TestChannelSilence: once a channel has ended, not one packet more passes on
// it, up or down. The peer's packets come in indications from then on.
func TestChannelSilence(t *testing.T) {
	p := newPipeline(t)
	up, down := p.floods(t)
	eventually(t, "packets pass", func() bool { return up.heard.Load() > 100 && down.heard.Load() > 100 })
	p.session.flows.Load().numbers[0].expires.set(p.session.owner.clock.now())
	p.session.owner.settle()
	wantSilence(t, up, down)
	if p.session.drops[dropNoChannel].Load() == 0 {
		t.Error("what came on the channel is not counted")
	}
}

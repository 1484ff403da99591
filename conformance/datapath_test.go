//go:build linux

package conformance

import (
	"cmp"
	"context"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"icebox/natlab"
)

// dataPath is the path that these tests run over: ICEBOX_TURN_RELAY_DATAPATH sets
// it for the tests' boxes as for any other, and auto is batch here.
func dataPath() string {
	path := os.Getenv("ICEBOX_TURN_RELAY_DATAPATH")
	if path == "auto" {
		path = ""
	}
	return cmp.Or(path, "batch")
}

// TestDataPath: the box carries packets over the path that these tests are about,
// and says so in its log and metrics.
func TestDataPath(t *testing.T) {
	w := newWorld(t)
	b := start(t, w.box, setup{allow: peerRanges})
	if want := `"msg":"data path chosen","datapath":"` + dataPath() + `"`; !strings.Contains(b.log(), want) {
		t.Errorf("the log does not have %s:\n%s", want, b.log())
	}
	if want := `icebox_turn_datapath_info{datapath="` + dataPath() + `"`; !strings.Contains(b.samples(t), want) {
		t.Errorf("the metrics do not have %s", want)
	}
}

// comings is how many sessions come and go in TestComeAndGo, and visitors how
// many clients make them side by side.
const (
	comings  = 10_000
	visitors = 16
	// memoryMayGrow is what a process of Go holds more of after a while that is no
	// leak, in bytes.
	memoryMayGrow = 16 << 20
)

// TestComeAndGo: ten thousand flows come and go while others carry packets, the
// interface goes down and up, and its address changes and changes back. Then
// everything is as it was: descriptors, goroutines, ports, memory.
func TestComeAndGo(t *testing.T) {
	const first, second = "198.51.100.10", "198.51.100.11"
	lab := natlab.New(t)
	w := worldAround(lab, lab.Host("box", first, second))
	ip(t, w.box, "addr", "del", second+"/32", "dev", "eth0")
	s := &scene{world: w, box: start(t, w.box, setup{public: first, follow: true, allow: peerRanges}), transport: udp}
	s.comeAndGo(t, comings/10) // what is made once and kept
	before, memory := s.box.vitals(t), s.box.memory(t)
	ports := s.box.metric(t, "icebox_turn_relay_ports_free")

	busy := s.busy(t)
	s.comeAndGo(t, comings)
	if n := busy.echoed.Load(); n < 1000 {
		t.Errorf("only %d packets of the busy flows came back meanwhile", n)
	}

	ip(t, w.box, "link", "set", "eth0", "down")
	time.Sleep(time.Second)
	bringUp(t, w.box)
	here := busy.echoed.Load()
	eventually(t, "packets pass again after the interface was down", func() bool { return busy.echoed.Load() > here+100 })

	s.moveTo(t, first, second)
	s.moveTo(t, second, first)
	here = busy.echoed.Load()
	eventually(t, "packets pass again where the address is back", func() bool { return busy.echoed.Load() > here+100 })
	busy.end()

	s.box.wantUnhurt(t, w, before)
	eventually(t, "every port is free again", func() bool { return s.box.metric(t, "icebox_turn_relay_ports_free") == ports })
	if grown := s.box.memory(t) - memory; grown > memoryMayGrow {
		t.Errorf("%d KB more than before", grown>>10)
	}
}

// ip carries out one line of the ip program in a host.
func ip(t testing.TB, host *natlab.Host, args ...string) {
	t.Helper()
	if out, err := host.Command(context.Background(), "ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// bringUp brings the interface of a host back, with the routes that it has lost.
func bringUp(t testing.TB, host *natlab.Host) {
	t.Helper()
	ip(t, host, "link", "set", "eth0", "up")
	ip(t, host, "route", "add", "169.254.1.1", "dev", "eth0")
	ip(t, host, "route", "add", "default", "via", "169.254.1.1", "dev", "eth0")
}

// comeAndGo has that many sessions begin, bind a channel, send a packet and end.
func (s *scene) comeAndGo(t *testing.T, sessions int) {
	t.Helper()
	p := s.peer(t)
	go func() {
		for range p.packets { // they come in at all: that is enough
		}
	}()
	var next atomic.Int64
	var wait sync.WaitGroup
	for range visitors {
		wait.Go(func() {
			for next.Add(1) <= int64(sessions) {
				s.visit(t, p)
			}
		})
	}
	wait.Wait()
}

// visit is one session, from the first packet to the last. Its 5-tuple is new.
func (s *scene) visit(t *testing.T, p *peer) {
	conn, err := s.connect(clientAddress(0, s.ipv6))
	if err != nil {
		t.Error(err)
		return
	}
	c := &client{link: newLink(conn, s.stream), t: t, user: alice}
	defer c.close()
	c.login()
	c.allocate()
	c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
	c.write(channelData(0x4000, []byte("here"), true))
	c.must(refresh, lifetime(0))
	c.nonce = ""
}

// moveTo gives the box's host another address, and waits until relays have it.
func (s *scene) moveTo(t *testing.T, from, to string) {
	t.Helper()
	ip(t, s.world.box, "addr", "add", to+"/32", "dev", "eth0")
	ip(t, s.world.box, "addr", "del", from+"/32", "dev", "eth0")
	s.box.setup.public = to
	eventually(t, "relays have the address "+to, func() bool { return s.relaysFrom(t, to) })
}

// relaysFrom says whether a new session has a relay with that address.
func (s *scene) relaysFrom(t *testing.T, address string) bool {
	conn, err := s.connect(clientAddress(0, false))
	if err != nil {
		return false
	}
	c := &client{link: newLink(conn, s.stream), t: t, user: alice}
	defer c.close()
	c.login()
	a := c.call(allocate, transportUDP())
	if a.class != success {
		return false // the box has not looked at its interfaces yet
	}
	c.must(refresh, lifetime(0))
	return a.address(attrRelayedAddress).Addr().String() == address
}

// busy are flows that carry packets to a peer and back all the time.
type busy struct {
	echoed atomic.Int64
	stop   chan struct{}
	done   sync.WaitGroup
	flows  []*client
}

const busyFlows = 4

func (s *scene) busy(t *testing.T) *busy {
	t.Helper()
	b := &busy{stop: make(chan struct{})}
	for range busyFlows {
		c, relay, p := s.relayed(t)
		c.must(channelBind, channelNumber(0x4000), peerAddress(p.addr))
		b.flows = append(b.flows, c)
		go func() {
			for got := range p.packets {
				p.conn.WriteToUDPAddrPort(got.data, relay)
			}
		}()
		b.done.Go(func() {
			for b.on() {
				c.send(channelData(0x4000, mark("round"), true)) // fails while the interface is down
				select {
				case <-c.frames:
					b.echoed.Add(1)
				case <-time.After(20 * time.Millisecond):
				}
			}
		})
	}
	return b
}

func (b *busy) on() bool {
	select {
	case <-b.stop:
		return false
	default:
		return true
	}
}

// end ends the traffic, and the sessions.
func (b *busy) end() {
	close(b.stop)
	b.done.Wait()
	for _, c := range b.flows {
		c.release()
		c.nonce = ""
	}
}

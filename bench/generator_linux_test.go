package bench

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// How a generator works.
const (
	burst      = 32  // packets that are late and sent in a row, before it receives
	inOneCall  = 32  // packets of one socket that are received by one system call
	inOnePoll  = 128 // sockets that are found ready by one system call
	silence    = 100 * time.Millisecond
	longestEnd = time.Second
)

// phase of a run.
type phase = int32

const (
	warming phase = iota
	counting
	ending
)

// generator sends packets at times that were fixed before, whatever comes back
// (an open loop), and receives them at the other end: one thread that never
// sleeps. Packets that are late are sent all the same.
type generator struct {
	*flows
	traffic
	size, train int
	segment     bool // send trains by UDP_SEGMENT, receive them by UDP_GRO

	phase   atomic.Int32
	relayed atomic.Uint64 // packets that arrived in any phase

	start   time.Time
	next    int       // the next train to be sent
	out     [2]*batch // by direction: a down packet has no header of a channel
	in      *batch
	epoll   int
	events  []unix.EpollEvent
	outcome outcome
}

// outcome is what happened to the packets of the counting phase.
type outcome struct {
	sent, received        uint64
	reordered, duplicates uint64
	took                  time.Duration // of the phase
	latency               histogram     // one way
	late                  histogram     // how long after their time trains were sent
	latest                time.Duration // the worst of these
}

func newGenerator(w *flows, t traffic, segment bool) (*generator, error) {
	g := &generator{flows: w, traffic: t, segment: segment, in: newInbox(inOneCall, 2048), events: make([]unix.EpollEvent, inOnePoll)}
	if segment {
		g.in = newInbox(inOneCall, 1<<16)
	}
	g.size, g.train = t.shape()
	g.out = [2]*batch{newBatch(g.train, padded(channelSize+g.size)), newBatch(g.train, g.size)}
	for i := range w.streams {
		w.streams[i].counted = 0
	}
	var err error
	if g.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	for _, way := range []direction{up, down} {
		for i := range w.count() {
			w.tracks[way][i].begun = w.tracks[way][i].next
			if err := prepare(w.to(i, way), segment); err != nil {
				g.close()
				return nil, err
			}
			event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i), Pad: int32(way)}
			if err := unix.EpollCtl(g.epoll, unix.EPOLL_CTL_ADD, w.to(i, way), &event); err != nil {
				g.close()
				return nil, fmt.Errorf("epoll: %w", err)
			}
		}
	}
	return g, nil
}

// prepare has the kernel say of what comes by a socket when it came, and if wanted
// hand trains over whole.
func prepare(fd int, merge bool) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return fmt.Errorf("SO_TIMESTAMPNS: %w", err)
	}
	if !merge {
		return nil
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_UDP, unix.UDP_GRO, 1); err != nil {
		return fmt.Errorf("UDP_GRO: %w", err)
	}
	return nil
}

func (g *generator) close() { unix.Close(g.epoll) }

// clock is the generator's time.
func (g *generator) clock() time.Duration { return time.Since(g.start) }

// wall is a time by the wall clock, which is the kernel's for packets, since the start.
func (g *generator) wall(at time.Time) time.Duration {
	return time.Duration(at.UnixNano() - g.start.UnixNano())
}

// run generates until the phase is set to ending, and a little longer to receive
// what is on its way. An error means that something was damaged or misdelivered.
func (g *generator) run(where place) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	release, err := where.take()
	if err != nil {
		return err
	}
	defer release()
	g.start = time.Now()
	if err := g.generate(); err != nil {
		return err
	}
	return g.drain()
}

func (g *generator) generate() error {
	var counted time.Duration // since when
	for before := warming; ; {
		now := g.phase.Load()
		if now != before {
			if before == counting {
				g.outcome.took = g.clock() - counted
			}
			counted, before = g.clock(), now
		}
		if now == ending {
			return nil
		}
		if err := g.sendDue(now == counting); err != nil {
			return err
		}
		if err := g.flush(); err != nil {
			return err
		}
		if _, err := g.receive(); err != nil {
			return err
		}
	}
}

// drain receives until nothing has come for a while.
func (g *generator) drain() error {
	began := g.clock()
	for last := began; g.clock()-last < silence && g.clock()-began < longestEnd; {
		if err := g.flush(); err != nil {
			return err
		}
		n, err := g.receive()
		if err != nil {
			return err
		}
		if n > 0 {
			last = g.clock()
		}
	}
	g.outcome.sent -= g.waiting()
	return nil
}

// sendDue sends the trains whose time has come, some at most.
func (g *generator) sendDue(counted bool) error {
	for range max(1, burst/g.train) {
		now := time.Now()
		late := now.Sub(g.start) - g.due(g.next)
		if late < 0 {
			return nil
		}
		if err := g.sendTrain(now, counted); err != nil {
			return err
		}
		if g.next++; counted {
			g.outcome.late.add(late)
			g.outcome.latest = max(g.outcome.latest, late)
		}
	}
	return nil
}

func (g *generator) sendTrain(now time.Time, counted bool) error {
	flow, way := g.turn(g.next)
	t, out := &g.tracks[way][flow], g.out[way]
	sent := g.wall(now)
	for i := range g.train {
		payload := out.buffer(i)
		if way == up {
			putChannel(payload, channelOf(flow), g.size)
			payload = payload[channelSize:][:g.size]
		}
		s := stamp{flow: uint32(flow), way: way, counted: counted, number: t.next, sent: sent}
		s.put(payload)
		t.next++
	}
	if counted {
		g.outcome.sent += uint64(g.train)
	}
	n, err := g.put(out, flow, way, counted)
	if err == nil && n < g.train {
		err = errors.New("the socket takes no more")
	}
	if err != nil {
		return fmt.Errorf("send packet %d of %d, %v: %w", n+1, g.train, way, err)
	}
	return nil
}

func (g *generator) put(out *batch, flow int, way direction, counted bool) (int, error) {
	fd := g.from(flow, way)
	if way == up && g.streams != nil {
		return g.train, g.streams[flow].put(fd, out.space, counted)
	}
	if g.segment && g.train > 1 {
		return out.sendSegmented(fd, g.train)
	}
	return out.send(fd, g.train)
}

// receive reads once from every socket that has something.
func (g *generator) receive() (packets int, err error) {
	ready, err := poll(g.epoll, g.events)
	if err != nil {
		return 0, err
	}
	for _, e := range g.events[:ready] {
		flow, way := int(e.Fd), direction(e.Pad)
		n, err := g.in.receive(g.to(flow, way))
		if err != nil {
			return packets, fmt.Errorf("receive from flow %d, %v: %w", flow, way, err)
		}
		for i := range n {
			came, err := g.taken(flow, way, i)
			if err != nil {
				return packets, err
			}
			packets += came
		}
	}
	if packets > 0 {
		g.relayed.Add(uint64(packets))
	}
	return packets, nil
}

// taken judges the packets of one message that came by the socket of a flow.
func (g *generator) taken(flow int, way direction, message int) (packets int, err error) {
	received := g.in.received(message)
	came, size := g.in.said(message)
	if way == down && g.streams != nil {
		return g.pieced(flow, received, came)
	}
	if came.IsZero() {
		return 0, errors.New("the kernel does not say when packets come")
	}
	now := g.wall(came)
	for {
		n := min(size, len(received))
		if err := g.arrived(flow, way, received[:n], now); err != nil {
			return packets, err
		}
		packets++
		if received = received[n:]; len(received) == 0 {
			return packets, nil
		}
	}
}

// arrived judges a packet that came by the socket of a flow.
func (g *generator) arrived(flow int, way direction, packet []byte, now time.Duration) error {
	var err error
	if way == down {
		if packet, err = takeChannel(packet, channelOf(flow)); err != nil {
			return fmt.Errorf("flow %d, %v: %w", flow, way, err)
		}
	}
	var s stamp
	if err := s.read(packet, g.size); err != nil {
		return fmt.Errorf("flow %d, %v: %w", flow, way, err)
	}
	if int(s.flow) != flow || s.way != way {
		return fmt.Errorf("a packet of flow %d, %v, came to flow %d, %v", s.flow, s.way, flow, way)
	}
	switch g.tracks[way][flow].arrive(s.number) {
	case unsent:
		return fmt.Errorf("flow %d, %v: packet %d was never sent", flow, way, s.number)
	case stale:
		return nil
	case duplicate:
		g.outcome.duplicates++
		return nil
	case reordered:
		g.outcome.reordered++
	}
	if s.counted {
		g.outcome.received++
		g.outcome.latency.add(now - s.sent)
	}
	return nil
}

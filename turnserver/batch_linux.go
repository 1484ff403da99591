package turnserver

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"icebox/turnserver/batch"
)

// What is built around a datagram of a peer stays in its own part of a slot: in a
// train they stand Headroom apart.
const _ = uint(batch.Headroom - headroom - tailroom)

// batched is the data path of package batch: many packets a system call.
type batched struct {
	log    *slog.Logger
	engine *batch.Engine
	guard  *guard // from start on
	desk   *desk
	unread atomic.Uint64
	ways   []way

	bundles sync.Pool // of *batch.Bundle

	begun bool // start has been called
}

// way is a listener: where what its clients are sent leaves.
type way struct {
	listener *batch.Listener
	senders  []*sender // one a worker
	wildcard bool
	ipv6     bool
}

// chooseBatch takes the batch path where this host has what it needs.
func chooseBatch(auto bool) (PathInfo, error) {
	found := batch.Try()
	switch {
	case found.Err == nil && found.Segments == nil:
		return PathInfo{Name: "batch", Trains: true, Reason: "its self-test holds"}, nil
	case found.Err == nil:
		return PathInfo{Name: "batch", Reason: "its self-test holds but for trains: " + found.Segments.Error()}, nil
	case auto:
		return PathInfo{Name: "plain", Reason: "the self-test of batch fails: " + found.Err.Error()}, nil
	}
	return PathInfo{}, fmt.Errorf("turn.relay.datapath: batch can't be had on this host: %w; set it to auto or plain", found.Err)
}

func newBatch(pin, trains bool, log *slog.Logger) (path, error) {
	p := &batched{log: log, desk: newDesk()}
	var err error
	p.engine, err = batch.New(batch.Options{
		Workers: batch.Workers(), Pin: pin, Segments: trains,
		Handler: func(w *batch.Worker) batch.Handler { return &batchLane{path: p, worker: w} },
		Refused: p.refused,
	})
	if err != nil {
		return nil, err
	}
	p.bundles.New = func() any { return p.engine.NewBundle() }
	return p, nil
}

func (p *batched) listen(address string) (net.Addr, error) {
	conns, err := openShared(address, batch.Workers())
	if err != nil {
		return nil, fmt.Errorf("listening on udp %s: %w", address, err)
	}
	defer closeAll(conns)
	local := unmap(conns[0].LocalAddr().(*net.UDPAddr).AddrPort())
	w := way{wildcard: local.Addr().IsUnspecified()}
	files, err := w.adopt(conns)
	if err == nil {
		w.listener, err = p.engine.Listen(files, w.wildcard)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on udp %s: %w", address, err)
	}
	p.ways = append(p.ways, w)
	return conns[0].LocalAddr(), nil
}

// adopt makes descriptors of a listener's sockets that are the path's own, or
// leaves none open.
func (w *way) adopt(conns []*net.UDPConn) (files []*os.File, err error) {
	for _, conn := range conns {
		w.wildcard = w.wildcard && askDestination(conn) == nil
		growBuffers(conn)
		file, err := unpolled(conn)
		if err == nil {
			files = append(files, file)
			var out *sender
			if out, err = newSender(file); err == nil {
				w.senders, w.ipv6 = append(w.senders, out), out.ipv6
			}
		}
		if err != nil {
			for _, f := range files {
				f.Close()
			}
			return nil, err
		}
	}
	return files, nil
}

func (p *batched) start(g *guard) {
	p.guard = g
	p.desk.open(g)
	procs.add(batch.Workers())
	shortSlices()
	p.engine.Start()
	p.begun = true
}

func (p *batched) stop() {
	if p.begun {
		p.engine.Deafen()
		p.desk.close()
	}
}

func (p *batched) close() error {
	if p.begun {
		defer procs.add(-batch.Workers())
	}
	return p.engine.Close()
}

func (p *batched) trains() bool { return p.engine.Segments() }

func (p *batched) open(s *session, addr, bind netip.AddrPort, closed func()) (*relay, error) {
	file, err := openRelaySocket(bind)
	if err != nil {
		return nil, err
	}
	out, err := newSender(file)
	if err != nil {
		file.Close()
		return nil, err
	}
	r := &batchRelay{relay: relay{session: s, addr: addr}, out: out}
	r.socket = r
	if err := p.engine.AddRelay(&r.Relay, p.workerOf(s), file, s, closed); err != nil {
		file.Close()
		return nil, err
	}
	return &r.relay, nil
}

// workerOf is the worker that has to do with a session: the one that reads its
// client, where that is on UDP.
func (p *batched) workerOf(s *session) int {
	if c, ok := s.client.(*batchClient); ok {
		return c.worker
	}
	return p.engine.Turn()
}

func (p *batched) carry(s *session) {
	if c, ok := s.client.(*batchClient); ok {
		p.engine.Add(c.worker, c.way.listener, batch.Tuple{Client: s.tuple.client, Local: s.tuple.local}, s)
	}
}

func (p *batched) release(s *session) {
	if c, ok := s.client.(*batchClient); ok {
		p.engine.Remove(c.worker, c.way.listener, batch.Tuple{Client: s.tuple.client, Local: s.tuple.local}, s)
	}
}

func (p *batched) settle() { p.engine.Settle() }

func (p *batched) bundle() bundle { return &batchBundle{path: p} }

func (p *batched) lost() pathLosses {
	return pathLosses{unread: p.unread.Load(), requests: p.desk.full.Load()}
}

// batchRelay is a relay socket that a worker reads.
type batchRelay struct {
	relay
	batch.Relay
	out *sender // for what is sent at once
}

func (r *batchRelay) send(payload []byte, to netip.AddrPort, df bool) error {
	if df {
		return r.out.sendUnfragmented(payload, to)
	}
	return r.out.send(payload, nil, to)
}

func (r *batchRelay) close() { r.Close() }

// batchClient is a client over UDP of the batch path.
type batchClient struct {
	udpClient // for what is sent at once, such as answers
	back      *batch.Client
	way       *way
	worker    int
}

// client is the way back to whoever has sent a datagram.
func (p *batched) client(d *batch.Datagram, t tuple) *batchClient {
	w := &p.ways[d.Listener().Index()]
	c := &batchClient{way: w, worker: d.Worker()}
	c.udpClient = udpClient{out: w.senders[c.worker], addr: t.client, limit: datagramLimit(t.client.Addr())}
	if w.wildcard {
		c.control = source(t.local.Addr(), !w.ipv6)
	}
	c.back = w.listener.NewClient(t.client, c.control)
	return c
}

// batchLane is a worker's: it decides what becomes of each datagram, and takes
// along what may pass.
type batchLane struct {
	path   *batched
	worker *batch.Worker
	now    instant
	parsed message
	put    []*queue // of streams, with something that was put in this turn
}

// Begin implements batch.Handler.
func (l *batchLane) Begin() { l.now = l.path.guard.clock.now() }

// End implements batch.Handler.
func (l *batchLane) End() {
	for _, q := range l.put {
		q.push()
	}
	clear(l.put)
	l.put = l.put[:0]
}

// FromClient implements batch.Handler.
func (l *batchLane) FromClient(d *batch.Datagram) {
	g := l.path.guard
	s, _ := d.Flow.(*session)
	if s != nil && carries(d.Packet) {
		if s.atDesk.Load() == 0 || s.lets(l.now, d.Packet, &l.parsed) || !l.path.desk.behind(s, d.Packet) {
			g.data(l.now, l, s, d.Packet, &l.parsed)
		}
		return
	}
	switch {
	case carries(d.Packet):
		l.strayed(tupleOf(d), d.Packet)
	case isSTUN(d.Packet):
		t := tupleOf(d)
		if l.path.desk.request(t, l.path.client(d, t), s, d.Packet) {
			l.worker.Yield()
		}
	default:
		g.stats.malformed.Add(1)
	}
}

// tupleOf is the 5-tuple that a datagram came on.
func tupleOf(d *batch.Datagram) tuple {
	at := d.Tuple()
	return tuple{client: at.Client, local: at.Local}
}

// strayed is data of a session that another worker has, should the kernel ever
// give a client's packets to two, or of none.
func (l *batchLane) strayed(t tuple, packet []byte) {
	g := l.path.guard
	if s := g.table.get(t); s != nil {
		g.data(l.now, direct{}, s, packet, &l.parsed)
		return
	}
	g.stats.orphans.Add(1)
}

// FromPeer implements batch.Handler.
func (l *batchLane) FromPeer(r *batch.Relay, slot []byte, n int, from netip.AddrPort) {
	r.Owner.(*session).receive(l.now, l, slot[batch.Headroom-headroom:], n, from)
}

// Overflowed implements batch.Handler.
func (l *batchLane) Overflowed(n uint32) { l.path.unread.Add(uint64(n)) }

// refused tells the owner.
func (p *batched) refused(why error) {
	p.log.Warn("the kernel refuses trains of packets: each leaves by itself from now on", "err", why)
}

func (l *batchLane) toPeer(s *session, r *relay, payload []byte, to netip.AddrPort, df bool) {
	if df {
		l.worker.Flush() // what came before leaves before
		direct{}.toPeer(s, r, payload, to, df)
		return
	}
	l.worker.ToPeer(&r.socket.(*batchRelay).Relay, payload, to, s)
}

func (l *batchLane) toClient(s *session, packet []byte, size int) {
	switch c := s.client.(type) {
	case *batchClient:
		l.worker.ToClient(c.back, packet, size, s)
	case *queue:
		l.toStream(s, c, packet, size)
	default:
		direct{}.toClient(s, packet, size)
	}
}

// toStream has what goes to a stream in this turn leave together.
func (l *batchLane) toStream(s *session, q *queue, packet []byte, size int) {
	if why, ok := q.put(packet); !ok {
		s.drop(why)
		return
	}
	s.down(1, size)
	if n := len(l.put); n == 0 || l.put[n-1] != q {
		l.put = append(l.put, q)
	}
}

func (l *batchLane) room() []byte { return l.worker.Room()[batch.Headroom-headroom:] }
func (l *batchLane) done([]byte)  {}

// batchBundle is the lane of a stream: what came together leaves as trains.
type batchBundle struct {
	direct // to clients
	path   *batched
	waits  *batch.Bundle // nil: nothing
}

func (b *batchBundle) toPeer(s *session, r *relay, payload []byte, to netip.AddrPort, df bool) {
	if df {
		b.flush() // what came before leaves before
		b.direct.toPeer(s, r, payload, to, df)
		return
	}
	if b.waits == nil {
		b.waits = b.path.bundles.Get().(*batch.Bundle)
	}
	b.waits.ToPeer(&r.socket.(*batchRelay).Relay, payload, to, s)
}

func (b *batchBundle) flush() {
	if b.waits != nil {
		b.waits.Flush()
		b.path.bundles.Put(b.waits)
		b.waits = nil
	}
}

// Sent implements batch.Tally.
func (s *session) Sent(d batch.Direction, packets, bytes int) {
	if d == batch.Up {
		s.up(packets, bytes)
	} else {
		s.down(packets, bytes)
	}
}

// Lost implements batch.Tally.
func (s *session) Lost(_ batch.Direction, packets int, why syscall.Errno) {
	s.drops[sendDrop(why)].Add(uint64(packets))
}

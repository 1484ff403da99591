package bench

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// retransmit is after how long without any answer the requests on their way are
// sent again, and patience after how many of these a run is given up.
const (
	retransmit = 500 * time.Millisecond
	patience   = 20
)

// load is a client with many sockets, each connected to the server from a port
// of its own, that are handled by one thread with epoll: few system calls and
// nothing else, so that the server is what is measured.
type load struct {
	socket   int   // unix.SOCK_DGRAM, or SOCK_STREAM
	sockets  []int // file descriptors
	messages *messages
	place    place
}

// newLoad opens sockets from the ports first, first+1 and so on. Call it inside
// of the namespace that they should be in.
func newLoad(socket int, from netip.Addr, first, count int, server netip.AddrPort, m *messages, where place) (*load, error) {
	l := &load{socket: socket, messages: m, place: where}
	for i := range count {
		fd, err := connected(socket, netip.AddrPortFrom(from, uint16(first+i)), server)
		if err != nil {
			l.close()
			return nil, fmt.Errorf("socket %d of %d: %w", i+1, count, err)
		}
		l.sockets = append(l.sockets, fd)
	}
	return l, nil
}

// connected is a socket of that type. It waits for its connection and for nothing after.
func connected(socket int, from, to netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, socket|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if socket == unix.SOCK_STREAM {
		err = promptly(fd)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: from.Addr().As4(), Port: int(from.Port())})
	}
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())})
	}
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (l *load) close() {
	for _, fd := range l.sockets {
		unix.Close(fd)
	}
}

// job is what a load does with a number of its sockets.
type job struct {
	first, count int  // which sockets
	window       int  // how many at a time
	hold         bool // leave the sessions there; else each ends with a Refresh
	latency      bool // note how long each signed Allocate takes

	// peers, one a socket, makes each session that is held bind channelOf its
	// socket to one of them.
	peers []netip.AddrPort
}

// channelOf is the channel that a socket's session binds.
func channelOf(socket int) uint16 { return uint16(0x4000 + socket) }

// result is what came of a job.
type result struct {
	took      time.Duration
	cpu       time.Duration    // of the load's own thread
	latencies []time.Duration  // of signed Allocates, one a session
	resent    int              // requests sent a second time
	relayed   []netip.AddrPort // of sessions with a peer: their relayed addresses, by socket
}

// run does the job on a thread of its own. The thread stays: natlab's processes
// die with the thread that started them, which can be this one.
func (l *load) run(j job) (result, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	release, err := l.place.take()
	if err != nil {
		return result{}, err
	}
	defer release()
	r, err := newRunner(l, j)
	if err != nil {
		return result{}, err
	}
	defer r.close()
	before, begun := threadCPU(), time.Now()
	err = r.loop()
	r.took, r.result.cpu = time.Since(begun), threadCPU()-before
	return r.result, err
}

// threadCPU is the CPU time of the calling thread.
func threadCPU() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// step is which answer a socket waits for.
type step byte

const (
	waitsForNonce step = iota
	waitsForSession
	waitsForChannel
	waitsForEnd
)

// talk is one socket at work.
type talk struct {
	fd      int
	socket  int // counted within the job
	step    step
	request []byte // the last one, for its transaction ID and to send it again
	nonce   []byte
	sent    time.Time
}

// runner is one job on its way.
type runner struct {
	*load
	job
	result
	epoll  int
	next   int           // of the job's sockets, the first that has not begun
	ended  int           // how many are done
	talks  map[int]*talk // those at work, by file descriptor
	spare  []*talk
	events []unix.EpollEvent
	reply  [1500]byte
}

func newRunner(l *load, j job) (*runner, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	r := &runner{load: l, job: j, epoll: epoll, result: result{relayed: make([]netip.AddrPort, len(j.peers))}, talks: make(map[int]*talk), events: make([]unix.EpollEvent, j.window)}
	for _, fd := range l.sockets[j.first : j.first+j.count] {
		if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
			unix.Close(epoll)
			return nil, fmt.Errorf("epoll: %w", err)
		}
	}
	return r, nil
}

func (r *runner) close() { unix.Close(r.epoll) }

func (r *runner) loop() error {
	for range r.window {
		if err := r.begin(); err != nil {
			return err
		}
	}
	for silent := 0; r.ended < r.count; {
		n, err := unix.EpollWait(r.epoll, r.events, int(retransmit.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("epoll: %w", err)
		}
		if silent++; n > 0 {
			silent = 0
		} else if silent > patience {
			return fmt.Errorf("no answer for %v with %d of %d done", patience*retransmit, r.ended, r.count)
		} else if err := r.again(); err != nil {
			return err
		}
		for _, e := range r.events[:n] {
			if err := r.read(int(e.Fd)); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin sends the first request of the next socket, if there is one left.
func (r *runner) begin() error {
	if r.next == r.count {
		return nil
	}
	t := &talk{}
	if n := len(r.spare); n > 0 {
		t, r.spare = r.spare[n-1], r.spare[:n-1]
	}
	t.fd, t.socket, t.step = r.sockets[r.first+r.next], r.next, waitsForNonce
	r.next++
	r.talks[t.fd] = t
	t.request = r.messages.ask(t.request[:0])
	return r.send(t)
}

func (r *runner) send(t *talk) error {
	if r.latency {
		t.sent = time.Now()
	}
	if _, err := unix.Write(t.fd, t.request); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// again leaves streams alone, which see to it themselves.
func (r *runner) again() error {
	if r.load.socket == unix.SOCK_STREAM {
		return nil
	}
	for _, t := range r.talks {
		r.resent++
		if err := r.send(t); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) read(fd int) error {
	from := unix.Read
	if r.load.socket == unix.SOCK_STREAM {
		from = readFrame
	}
	n, err := from(fd, r.reply[:])
	if errors.Is(err, unix.EAGAIN) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	t, reply := r.talks[fd], r.reply[:n]
	if t == nil || !answers(reply, t.request) {
		return nil // of a request that was sent twice
	}
	return r.answered(t, reply)
}

// answered goes on with a socket that has its answer.
func (r *runner) answered(t *talk, reply []byte) error {
	switch kind := method(reply); {
	case t.step == waitsForNonce && kind == allocateError && len(find(reply, attrNonce)) > 0:
		t.nonce = append(t.nonce[:0], find(reply, attrNonce)...)
		t.request, t.step = r.messages.sign(t.request[:0], r.messages.begin, t.nonce), waitsForSession
		return r.send(t)
	case t.step == waitsForSession && kind == allocateSuccess:
		if r.latency {
			r.latencies = append(r.latencies, time.Since(t.sent))
		}
		if r.peers != nil {
			r.relayed[t.socket] = unmasked(find(reply, attrRelayed))
			start := r.messages.bind(channelOf(t.socket), r.peers[t.socket])
			t.request, t.step = r.messages.sign(t.request[:0], start, t.nonce), waitsForChannel
			return r.send(t)
		}
		if r.hold {
			return r.finish(t)
		}
		t.request, t.step = r.messages.sign(t.request[:0], r.messages.end, t.nonce), waitsForEnd
		return r.send(t)
	case t.step == waitsForChannel && kind == bindSuccess:
		return r.finish(t)
	case t.step == waitsForEnd && kind == refreshSuccess:
		return r.finish(t)
	}
	return fmt.Errorf("after %d of %d: unexpected answer: %s", r.ended, r.count, verdict(reply))
}

func (r *runner) finish(t *talk) error {
	delete(r.talks, t.fd)
	r.spare = append(r.spare, t)
	r.ended++
	return r.begin()
}

package batch

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	inboxSlots = 128 // datagrams read from a listener at once
	relaySlots = 256 // datagrams of peers that wait to be sent together
	relayBatch = 16  // datagrams read from a relay at once
	relayShare = 64  // and datagrams of it that are handled, about, before others have their turn
	readyShare = 32  // relays that are read in one turn, so that it ends, and clients have theirs
	eventSlots = 256
)

// Numbers in epoll's data that are no relay's.
const (
	eventCommand = -1 - iota
	eventListener
)

// Worker is one goroutine with what it reads and writes. All of it is touched there
// alone, but what is said to be guarded otherwise.
type Worker struct {
	index    int
	engine   *Engine
	handler  Handler
	pin      bool   // in a hurry
	unpin    func() // while it is
	epoll    int
	commands commands
	// turns is odd while datagrams are handled, and even while none that was
	// read waits to be sent: see settle.
	turns atomic.Uint64

	sockets []*socket
	flows   flows
	relays  []*Relay // by slot
	ready   []*Relay // those that have more to read; nil: closed meanwhile
	events  []unix.EpollEvent
	more    bool // a listener has more to read
	deaf    bool
	yields  yields
	stopped bool
	pace    pace

	slots struct { // of relays
		mu    sync.Mutex // guards what follows
		free  []int
		count int
	}

	arena         *arena
	inbox         []mmsghdr
	senders       []sockaddr
	controls      [][controlSize]byte
	datagram      Datagram
	relayBox      []mmsghdr
	peers         []sockaddr
	relayControls [][relayControlSize]byte
	used          int // of relayBox and its slots

	up    uplink
	downs []downward
	out   outbox // for clients
}

func newWorker(e *Engine, index int, pin bool) (*Worker, error) {
	w := &Worker{index: index, engine: e, pin: pin, epoll: -1, flows: newFlows(), events: make([]unix.EpollEvent, eventSlots)}
	w.commands.event = -1
	var err error
	if w.arena, err = newArena(inboxSlots + relaySlots); err != nil {
		return nil, err
	}
	w.inbox, w.senders = make([]mmsghdr, inboxSlots), make([]sockaddr, inboxSlots)
	w.controls = make([][controlSize]byte, inboxSlots)
	w.relayBox, w.peers = make([]mmsghdr, relaySlots), make([]sockaddr, relaySlots)
	w.relayControls = make([][relayControlSize]byte, relaySlots)
	for i := range w.inbox {
		w.prepare(&w.inbox[i], i, &w.senders[i], w.controls[i][:])
	}
	for i := range w.relayBox {
		w.prepare(&w.relayBox[i], inboxSlots+i, &w.peers[i], w.relayControls[i][:])
	}
	w.up.init(e)
	w.downs = make([]downward, 0, relaySlots)
	w.out.init(relaySlots, relaySlots)
	if err := w.watch(); err != nil {
		w.free()
		return nil, err
	}
	return w, nil
}

// prepare ties a header to its slot for good.
func (w *Worker) prepare(m *mmsghdr, slot int, from *sockaddr, control []byte) {
	iov := &unix.Iovec{Base: &w.arena.slot(slot)[Headroom]}
	iov.SetLen(payloadSize)
	m.header.Iov = iov
	m.header.SetIovlen(1)
	m.header.Name, m.header.Namelen = from.pointer(), unix.SizeofSockaddrInet6
	m.header.Control = unsafe.SliceData(control)
	m.header.SetControllen(len(control))
}

// watch makes the worker's epoll, with the eventfd of its commands in it.
func (w *Worker) watch() error {
	var err error
	if w.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	if err := w.pace.open(w.epoll); err != nil {
		return err
	}
	if w.commands.event, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	return w.add(w.commands.event, eventCommand, 0)
}

// add has epoll watch a descriptor, and tell of what comes once; pad comes back
// with its events.
func (w *Worker) add(fd, what, pad int) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET&0xFFFFFFFF, Fd: int32(what), Pad: int32(pad)}
	if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// addSocket gives the worker its socket of a listener, before it runs.
func (w *Worker) addSocket(s *socket) error {
	w.sockets = append(w.sockets, s)
	return w.add(s.fd, eventListener, len(w.sockets)-1)
}

// free lets go of everything but the sockets. The worker does not run.
func (w *Worker) free() {
	for _, fd := range []int{w.epoll, w.commands.event} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	w.pace.close()
	for _, r := range w.relays {
		if r != nil {
			r.file.Close()
		}
	}
	w.arena.free()
}

// claimSlot and freeSlot give out the numbers of relays. Any goroutine may call
// them.
func (w *Worker) claimSlot() int {
	w.slots.mu.Lock()
	defer w.slots.mu.Unlock()
	if n := len(w.slots.free); n > 0 {
		slot := w.slots.free[n-1]
		w.slots.free = w.slots.free[:n-1]
		return slot
	}
	w.slots.count++
	return w.slots.count - 1
}

func (w *Worker) freeSlot(slot int) {
	w.slots.mu.Lock()
	defer w.slots.mu.Unlock()
	w.slots.free = append(w.slots.free, slot)
}

// run is the worker.
func (w *Worker) run() {
	w.pace.hurry(w)
	defer w.pace.unwatch()
	defer w.untie()
	for !w.stopped {
		n := w.wait()
		w.turns.Add(1)
		w.turn(n)
		w.handler.End()
		w.Flush()
		w.used = 0
		w.turns.Add(1)
		w.yields.giveWay(w)
	}
}

// turn does what there is to do: commands first, then the listeners, then the
// relays that have something, the ones of now and the ones of before.
func (w *Worker) turn(n int) {
	w.obey()
	w.handler.Begin()
	for i := range w.events[:n] {
		w.notice(&w.events[i])
	}
	w.readListeners()
	w.readReady()
}

// notice takes down what an event says.
func (w *Worker) notice(e *unix.EpollEvent) {
	switch {
	case e.Fd == eventCommand:
		w.commands.hush()
		w.obey()
	case e.Fd == eventListener:
		w.sockets[e.Pad].ready = true
	case int(e.Fd) < len(w.relays) && w.relays[e.Fd] != nil && !w.relays[e.Fd].ready:
		r := w.relays[e.Fd]
		r.ready = true
		w.ready = append(w.ready, r)
	}
}

// readListeners reads every listener that is ready once.
func (w *Worker) readListeners() {
	w.more = false
	for _, s := range w.sockets {
		if s.ready && !w.deaf {
			s.ready = w.read(s)
			w.more = w.more || s.ready
		}
	}
}

// readReady reads the relays that are ready once, a share of them, in their order. Those
// that have more wait behind the others.
func (w *Worker) readReady() {
	n := min(len(w.ready), readyShare)
	for _, r := range w.ready[:n] {
		if r == nil {
			continue
		}
		if r.ready = w.readRelay(r); r.ready {
			w.ready = append(w.ready, r)
		}
	}
	w.ready = slices.Delete(w.ready, 0, n) // and forgets what stood at the end
}

// obey carries commands out. Nothing waits to be sent.
func (w *Worker) obey() {
	for _, f := range w.commands.take() {
		f(w)
	}
}

// wait returns how many events there are. It waits for one, unless there is
// something to do already.
func (w *Worker) wait() int {
	switch {
	case w.busy():
		n, _ := epollWait(w.epoll, w.events, 0)
		w.pace.waited(w)
		return n
	case w.pace.slow:
		return w.pace.nap(w)
	}
	return w.doze()
}

// busy says whether something is there to be read already.
func (w *Worker) busy() bool { return w.more || len(w.ready) > 0 }

// doze waits and keeps the P, to be back at once.
func (w *Worker) doze() int {
	for {
		n, errno := epollWait(w.epoll, w.events, -1)
		if errno != unix.EINTR {
			return n
		}
		// The scheduler has sent a signal, to stop the world or since this
		// goroutine has had its P for long: it gets its way. Without a place for
		// that, a loop of raw system calls keeps every collection waiting.
		runtime.Gosched()
		if w.pace.rare(w.turns.Load()) {
			w.pace.relax(w)
			return w.pace.nap(w)
		}
	}
}

// deafen and stop are commands.
func (w *Worker) deafen() {
	w.deaf = true
	for _, s := range w.sockets {
		unix.EpollCtl(w.epoll, unix.EPOLL_CTL_DEL, s.fd, nil)
	}
}

func (w *Worker) stop() { w.stopped = true }

// settle waits until the turn is over in which the worker is, if it is in one.
func (w *Worker) settle() {
	now := w.turns.Load()
	if now%2 == 0 {
		return
	}
	for tries := 0; w.turns.Load() == now; tries++ {
		if tries < 100 {
			runtime.Gosched()
		} else {
			time.Sleep(20 * time.Microsecond)
		}
	}
}

// tie has the worker keep its thread, and that its CPU, if it is to be pinned, and untie
// ends that. A goroutine that keeps its thread is slow to wake up for the scheduler.
func (w *Worker) tie() {
	if w.pin && w.unpin == nil {
		runtime.LockOSThread()
		w.unpin = pin(w.index)
	}
}

func (w *Worker) untie() {
	if w.unpin != nil {
		w.unpin()
		w.unpin = nil
		runtime.UnlockOSThread()
	}
}

// pin ties the calling thread to one of the CPUs that it may use, the last one
// for the first worker, and returns what undoes it. Where it can't, the thread
// stays free.
func pin(index int) (undo func()) {
	var may, one unix.CPUSet
	if unix.SchedGetaffinity(0, &may) != nil {
		return func() {}
	}
	want := may.Count() - 1 - index%may.Count()
	for cpu := range 1024 {
		if !may.IsSet(cpu) {
			continue
		}
		if want == 0 {
			one.Set(cpu)
			break
		}
		want--
	}
	if unix.SchedSetaffinity(0, &one) != nil {
		return func() {}
	}
	return func() { unix.SchedSetaffinity(0, &may) }
}

// tell passes a Tally's share on, if there is one.
func tell(t Tally, d Direction, packets, bytes int, why syscall.Errno) {
	switch {
	case t == nil:
	case why == 0:
		t.Sent(d, packets, bytes)
	default:
		t.Lost(d, packets, why)
	}
}

package batch

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Relay is a relay socket: peers send to it, and are sent to from it. What each
// packet asks for stands together. Its zero value is no relay yet.
type Relay struct {
	// Owner is whose it is, as AddRelay was told.
	Owner any

	fd          int
	first, last int32 // what waits to be sent, in the ups of an uplink; -1: nothing
	ended       atomic.Bool
	ipv6        bool
	ready       bool   // in worker.ready
	lost        uint32 // see socket
	ceiling     ceiling

	file   *os.File // closed by the worker alone, so that fd is good there
	raw    syscall.RawConn
	worker *Worker
	slot   int
	closed func()
}

// AddRelay makes r of a bound socket, to be read by a worker from then on. owner
// comes back with each datagram. closed is called, in the worker's goroutine, when
// the socket has been closed after Close.
func (e *Engine) AddRelay(r *Relay, worker int, file *os.File, owner any, closed func()) error {
	w := e.workers[worker]
	r.Owner, r.file, r.fd, r.worker, r.closed, r.first, r.last = owner, file, int(file.Fd()), w, closed, -1, -1
	var err error
	if r.raw, err = file.SyscallConn(); err != nil {
		return fmt.Errorf("a relay socket: %w", err)
	}
	domain, err := unix.GetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return fmt.Errorf("the family of a relay socket: %w", err)
	}
	r.ipv6 = domain == unix.AF_INET6
	countOverflow(r.fd)
	if e.merge {
		mergeReceived(r.fd)
	}
	r.slot = w.claimSlot()
	w.commands.add(func(w *Worker) { w.enter(r) }, false)
	if err := w.add(r.fd, r.slot, 0); err != nil {
		r.abandon()
		return fmt.Errorf("watching a relay socket: %w", err)
	}
	return nil
}

// abandon takes back a relay that is not watched; its socket stays open.
func (r *Relay) abandon() {
	r.worker.commands.add(func(w *Worker) { w.leave(r) }, false)
}

// Close has the relay closed by its worker. It returns at once; a second call
// does nothing.
func (r *Relay) Close() {
	if r.ended.Swap(true) {
		return
	}
	r.worker.commands.add(func(w *Worker) {
		w.leave(r)
		r.file.Close()
		r.closed()
	}, true)
}

// enter and leave are in the worker's goroutine.
func (w *Worker) enter(r *Relay) {
	for r.slot >= len(w.relays) {
		w.relays = append(w.relays, nil)
	}
	w.relays[r.slot] = r
}

func (w *Worker) leave(r *Relay) {
	w.relays[r.slot] = nil
	for i, other := range w.ready {
		if other == r {
			w.ready[i] = nil
		}
	}
	w.freeSlot(r.slot)
}

// readRelay hands on what peers have sent to a relay, some of it, and says
// whether there may be more.
func (w *Worker) readRelay(r *Relay) bool {
	for handled := 0; handled < relayShare; {
		if w.used+relayBatch > relaySlots {
			w.Flush()
			w.used = 0
		}
		first := w.used
		n, errno := recvmmsg(r.fd, w.relayBox[first:first+relayBatch])
		if errno != 0 {
			return false
		}
		w.used += n
		for i := first; i < first+n; i++ {
			handled += w.handleRelay(r, i)
		}
		if n < relayBatch {
			return false
		}
	}
	return true
}

// handleRelay hands on what is in one place of the relays' box, a datagram or a
// train of them, makes the place ready for the next, and says how many there were.
func (w *Worker) handleRelay(r *Relay, i int) int {
	m := &w.relayBox[i]
	var c control
	if size := int(m.header.Controllen); size > 0 {
		c.read(w.relayControls[i][:size])
		w.overflowed(&c, &r.lost)
	}
	slot, received, from := w.arena.slot(inboxSlots+i), int(m.length), w.peers[i].addrPort()
	size, count := w.cut(received, c.segment)
	spread(slot, received, size, count)
	for n := range count {
		w.handler.FromPeer(r, slot[n*(size+Headroom):], min(size, received-n*size), from)
	}
	m.header.Namelen = unix.SizeofSockaddrInet6
	m.header.SetControllen(relayControlSize)
	return count
}

// Room is a slot for a datagram that came from elsewhere than a socket, good
// until everything that is on its way is sent. A Handler may call it in
// FromClient, once a datagram.
func (w *Worker) Room() []byte {
	if w.used == relaySlots {
		w.Flush()
		w.used = 0
	}
	w.used++
	return w.arena.slot(inboxSlots + w.used - 1)
}

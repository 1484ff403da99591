package batch

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
)

// Handler decides what becomes of the datagrams that a worker reads. Each worker
// has one of its own and calls it in its goroutine: a Handler never waits, keeps no
// slice that it is given, and may send with the worker's ToPeer and ToClient.
type Handler interface {
	// Begin comes before the datagrams of one turn: what goes by the clock needs
	// to look at it once a turn.
	Begin()
	// FromClient is a datagram that came to a listener.
	FromClient(*Datagram)
	// FromPeer is a datagram that came to a relay socket: n bytes from Headroom
	// on of a slot, in which what goes out can be built in place.
	FromPeer(r *Relay, slot []byte, n int, from netip.AddrPort)
	// End comes after them, in the same turn, before what goes out is sent.
	End()
	// Overflowed are datagrams, or trains that came as one, that were thrown away
	// since nobody read them in time.
	Overflowed(n uint32)
}

// Tally hears, in the goroutine of the worker or of the Bundle, what became of
// datagrams that ToPeer and ToClient took: a run of them that has the same fate.
type Tally interface {
	// Sent are packets with bytes of payload in all.
	Sent(d Direction, packets, bytes int)
	// Lost are packets that the kernel refused.
	Lost(d Direction, packets int, why syscall.Errno)
}

// Direction is the way of a datagram.
type Direction uint8

// The two ways.
const (
	Up   Direction = iota // from a client to a peer
	Down                  // from a peer to a client
)

// Options are what an Engine gets from outside.
type Options struct {
	// Workers is how many workers there are, see Workers.
	Workers int
	// Pin ties each worker to a CPU of its own while it is in a hurry.
	Pin bool
	// Segments has runs of equal datagrams sent with UDP_SEGMENT, and received as
	// one with UDP_GRO where they come so. The Engine gives the sending up for good
	// when the kernel refuses.
	Segments bool
	// Handler makes the Handler of a worker.
	Handler func(*Worker) Handler
	// Refused is told, once and by any goroutine, that the kernel has refused a
	// train, for a reason that ends all of them for good.
	Refused func(why error)
}

// Engine is a group of workers.
type Engine struct {
	workers   []*Worker
	segments  atomic.Bool // trains are sent
	refused   func(error)
	merge     bool // trains are received as one
	listeners []*Listener
	running   sync.WaitGroup
	turned    atomic.Uint64 // workers that Turn has given out
}

// Workers is how many workers the machine should have: one up to three CPUs,
// above that about half of them, 8 at most. Two on two CPUs are slower than one.
func Workers() int { return max(1, min(runtime.NumCPU()/2, 8)) }

// New makes the workers. Nothing runs until Start; Close has to be called in any
// case.
func New(opt Options) (*Engine, error) {
	e := &Engine{merge: opt.Segments, refused: opt.Refused}
	e.segments.Store(opt.Segments)
	for i := range opt.Workers {
		w, err := newWorker(e, i, opt.Pin)
		if err != nil {
			e.free()
			return nil, fmt.Errorf("a worker of the batch data path: %w", err)
		}
		w.handler = opt.Handler(w)
		e.workers = append(e.workers, w)
	}
	return e, nil
}

// Listen hands over the sockets of one listener, which share an address: one a
// worker, bound and ready. wildcard says that they have every address of the
// host and that each datagram tells which it came to (IP_PKTINFO). It is called
// before Start. The Engine owns the sockets from then on.
func (e *Engine) Listen(sockets []*os.File, wildcard bool) (*Listener, error) {
	if len(sockets) != len(e.workers) {
		closeFiles(sockets)
		return nil, fmt.Errorf("%d sockets for %d workers", len(sockets), len(e.workers))
	}
	l := &Listener{index: len(e.listeners), wildcard: wildcard}
	for i, file := range sockets {
		s, err := newSocket(l, file, e.merge)
		if err == nil {
			err = e.workers[i].addSocket(s)
		}
		if err != nil {
			closeFiles(sockets)
			return nil, err
		}
		l.sockets = append(l.sockets, s)
	}
	e.listeners = append(e.listeners, l)
	return l, nil
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// Start runs the workers.
func (e *Engine) Start() {
	for _, w := range e.workers {
		e.running.Go(w.run)
	}
}

// Deafen ends the reading of the listeners: when it returns, nothing more of a
// client comes. The relays go on.
func (e *Engine) Deafen() {
	var deaf sync.WaitGroup
	for _, w := range e.workers {
		deaf.Add(1)
		w.commands.add(func(w *Worker) { w.deafen(); deaf.Done() }, true)
	}
	deaf.Wait()
	e.Settle()
}

// Settle returns when every datagram that a Handler had let pass before the call
// is sent: whatever is forbidden before it does not leave after it. It must not
// be called by a Handler.
func (e *Engine) Settle() {
	for _, w := range e.workers {
		w.settle()
	}
}

// Close stops the workers and closes every socket. It comes after Start has
// returned, or in place of it.
func (e *Engine) Close() error {
	for _, w := range e.workers {
		w.commands.add((*Worker).stop, true)
	}
	e.running.Wait()
	return e.free()
}

// free lets go of what New and Listen have made. No worker runs.
func (e *Engine) free() error {
	var errs []error
	for _, l := range e.listeners {
		for _, s := range l.sockets {
			errs = append(errs, s.file.Close())
		}
	}
	for _, w := range e.workers {
		w.free()
	}
	return errors.Join(errs...)
}

// Add enters what a listener's client is: Datagram.Flow of all that he sends
// from the moment on at which Add returns. The worker is the one that reads him,
// Datagram.Worker.
func (e *Engine) Add(worker int, l *Listener, t Tuple, flow any) {
	s := senderOf(t, l.index, l.wildcard)
	e.workers[worker].commands.add(func(w *Worker) { w.flows.put(&s, flow) }, false)
}

// Remove takes out what Add has entered, if that is still there.
func (e *Engine) Remove(worker int, l *Listener, t Tuple, flow any) {
	s := senderOf(t, l.index, l.wildcard)
	e.workers[worker].commands.add(func(w *Worker) { w.flows.remove(&s, flow) }, true)
}

// Turn gives out workers in turn, for whoever does not come from one.
func (e *Engine) Turn() int {
	return int(e.turned.Add(1) % uint64(len(e.workers)))
}

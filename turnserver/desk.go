package turnserver

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// desk takes requests from those who must not wait, and has them handled on
// goroutines of its own, those of one client in their order. What is more than
// can be answered is counted and left.
type desk struct {
	queues []chan *paper
	papers sync.Pool
	full   atomic.Uint64
	clerks sync.WaitGroup
}

// paper is one request on its way.
type paper struct {
	origin origin
	packet []byte
}

const (
	deskQueue = 512
	// deskKeep is how large the buffer of a request may be to be used again.
	deskKeep = 2048
)

func newDesk() *desk {
	d := &desk{papers: sync.Pool{New: func() any { return new(paper) }}}
	for range min(runtime.GOMAXPROCS(0), 8) {
		d.queues = append(d.queues, make(chan *paper, deskQueue))
	}
	return d
}

func (d *desk) open(g *guard) {
	for _, queue := range d.queues {
		d.clerks.Go(func() {
			for p := range queue {
				g.handle(&p.origin, p.packet)
				d.give(p)
			}
		})
	}
}

// put copies a request and queues it. It never waits.
func (d *desk) put(t tuple, c client, packet []byte) {
	p := d.papers.Get().(*paper)
	p.origin = origin{tuple: t, client: c}
	p.packet = append(p.packet[:0], packet...)
	select {
	case d.queues[t.spread()%uint16(len(d.queues))] <- p:
	default:
		d.full.Add(1)
		d.give(p)
	}
}

func (d *desk) give(p *paper) {
	p.origin = origin{}
	if cap(p.packet) <= deskKeep {
		d.papers.Put(p)
	}
}

// close ends the clerks when they have handled what is queued. Nobody puts any
// more.
func (d *desk) close() {
	for _, queue := range d.queues {
		close(queue)
	}
	d.clerks.Wait()
}

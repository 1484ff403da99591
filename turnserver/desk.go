package turnserver

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// desk takes requests from those who must not wait, and has them handled on
// goroutines of its own, those of one client in their order, with the data that has
// to wait for one. What is more than can be answered is counted and left.
type desk struct {
	queues []chan *paper
	papers sync.Pool
	full   atomic.Uint64
	clerks sync.WaitGroup
}

// paper is one request on its way, or data behind one.
type paper struct {
	origin  origin
	packet  []byte
	session *session // whose it is, or nil: none was there when it came
}

const (
	deskQueue = 512
	// deskKeep is how large the buffer of a request may be to be used again.
	deskKeep = 2048
	// deskShare is how much of one session may be on its way for its data to wait
	// behind its requests.
	deskShare = 64
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
				d.handle(g, p)
				d.give(p)
			}
		})
	}
}

func (d *desk) handle(g *guard, p *paper) {
	if carries(p.packet) {
		g.passUp(p.session, p.packet, new(message))
		return
	}
	g.handle(&p.origin, p.packet)
}

// request queues a request of a client, whose session may be nil. It says whether
// somebody had waited for one, and now for the CPU.
func (d *desk) request(t tuple, c client, s *session, packet []byte) (woken bool) {
	if !d.put(origin{tuple: t, client: c}, s, packet) {
		d.full.Add(1)
		return false
	}
	return len(d.queue(t)) == 0 // else it stands behind others
}

// behind queues data that may not pass yet behind the requests of its session that
// are still here, if there are any: one of them may be what lets it pass, and not
// every client waits for the answer. It says whether it has.
func (d *desk) behind(s *session, packet []byte) bool {
	n := s.atDesk.Load()
	return n > 0 && n < deskShare && d.put(origin{tuple: s.tuple}, s, packet)
}

// put copies a packet and queues it. It never waits, and says whether there was room.
func (d *desk) put(o origin, s *session, packet []byte) bool {
	p := d.papers.Get().(*paper)
	p.origin, p.session = o, s
	p.packet = append(p.packet[:0], packet...)
	if s != nil {
		s.atDesk.Add(1)
	}
	select {
	case d.queue(o.tuple) <- p:
		return true
	default:
		d.give(p)
		return false
	}
}

// queue is the one of all requests of a client.
func (d *desk) queue(t tuple) chan *paper { return d.queues[t.spread()%uint16(len(d.queues))] }

func (d *desk) give(p *paper) {
	if p.session != nil {
		p.session.atDesk.Add(-1)
	}
	p.origin, p.session = origin{}, nil
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

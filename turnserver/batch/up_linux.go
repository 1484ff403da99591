package batch

import (
	"net/netip"
	"syscall"
)

// upward is a datagram on its way to a peer.
type upward struct {
	payload []byte
	to      netip.AddrPort
	tally   Tally
	next    int32 // of the same relay, -1: none
}

// ToPeer sends payload from a relay to a peer at the end of the turn. The payload
// must be of the datagram in hand.
func (w *Worker) ToPeer(r *Relay, payload []byte, to netip.AddrPort, tally Tally) {
	if len(w.ups) == cap(w.ups) {
		w.flush()
	}
	i := int32(len(w.ups))
	w.ups = append(w.ups, upward{payload: payload, to: to, tally: tally, next: -1})
	if r.first < 0 {
		r.first = i
		w.upRelays = append(w.upRelays, r)
	} else {
		w.ups[r.last].next = i
	}
	r.last = i
}

// Flush sends everything that is on its way, for a Handler that has to send
// something by himself after it.
func (w *Worker) Flush() { w.flush() }

func (w *Worker) flush() {
	if len(w.ups) > 0 {
		w.flushUp()
	}
	if len(w.downs) > 0 {
		w.flushDown()
	}
}

// flushUp sends relay by relay.
func (w *Worker) flushUp() {
	for i, r := range w.upRelays {
		first := r.first
		r.first, r.last = -1, -1
		w.upRelays[i] = nil
		for first >= 0 {
			if r.ended.Load() {
				tell(w.ups[first].tally, Up, 1, 0, syscall.EBADF)
				first = w.ups[first].next
			} else {
				first = w.sendRun(r, first)
			}
		}
	}
	clear(w.ups)
	w.ups, w.upRelays = w.ups[:0], w.upRelays[:0]
}

// sendRun sends the longest run that can leave as one train, and returns what
// comes after it.
func (w *Worker) sendRun(r *Relay, first int32) int32 {
	head := &w.ups[first]
	size := len(head.payload)
	limit := w.limit(size, &r.ceiling)
	count, next := 1, head.next
	for count < limit && next >= 0 {
		x := &w.ups[next]
		if x.to != head.to || !fits(len(x.payload), size) || x.tally != head.tally {
			break
		}
		count++
		last := len(x.payload) < size
		next = x.next
		if last {
			break
		}
	}
	if count == 1 {
		w.sendOne(r, head)
		return next
	}
	errno := w.sendTrain(r, first, count)
	if judge(errno, size) == notTheTrain {
		return next
	}
	passed := false
	for i := first; i != next; i = w.ups[i].next {
		passed = w.sendOne(r, &w.ups[i]) || passed
	}
	if passed {
		w.learn(errno, size, &r.ceiling)
	}
	return next
}

// sendOne says whether the datagram has left.
func (w *Worker) sendOne(r *Relay, x *upward) bool {
	var to sockaddr
	to.set(x.to, r.ipv6)
	errno := sendto(r.fd, x.payload, &to)
	tell(x.tally, Up, 1, len(x.payload), errno)
	return errno == 0
}

// sendTrain sends a run with UDP_SEGMENT. After an error that may be about the train
// they have to be sent one by one; else it is settled.
func (w *Worker) sendTrain(r *Relay, first int32, count int) syscall.Errno {
	head := &w.ups[first]
	w.out.to.set(head.to, r.ipv6)
	w.out.begin()
	bytes := 0
	for i, at := 0, first; i < count; i, at = i+1, w.ups[at].next {
		w.out.append(w.ups[at].payload)
		bytes += len(w.ups[at].payload)
	}
	m := w.out.message(&w.out.to, nil, len(head.payload))
	_, errno := sendmmsg(r.fd, m)
	if judge(errno, len(head.payload)) == notTheTrain {
		tell(head.tally, Up, count, bytes, errno)
	}
	return errno
}

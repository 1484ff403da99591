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

// uplink collects what one goroutine has on its way to peers, and sends it relay by
// relay, runs of equal size as one train. A relay has to do with one uplink alone.
type uplink struct {
	engine *Engine
	ups    []upward
	relays []*Relay // those with something in ups
	out    outbox
}

// upSlots is how much an uplink collects.
const upSlots = inboxSlots

func (u *uplink) init(e *Engine) {
	u.engine, u.ups = e, make([]upward, 0, upSlots)
	u.out.init(1, maxSegments)
}

// ToPeer sends payload from a relay to a peer at the end of the turn. The payload
// must be of the datagram in hand.
func (w *Worker) ToPeer(r *Relay, payload []byte, to netip.AddrPort, tally Tally) {
	if w.up.full() {
		w.Flush()
	}
	w.up.add(r, payload, to, tally)
}

// Flush sends everything that is on its way: at the end of a turn, where there is no
// room for more, and for a Handler that has to send something by himself after it.
func (w *Worker) Flush() {
	w.up.flush((*uplink).send)
	if len(w.downs) > 0 {
		w.flushDown()
	}
}

func (u *uplink) full() bool { return len(u.ups) == cap(u.ups) }

// add has payload wait, which must stay as it is until flush.
func (u *uplink) add(r *Relay, payload []byte, to netip.AddrPort, tally Tally) {
	i := int32(len(u.ups))
	u.ups = append(u.ups, upward{payload: payload, to: to, tally: tally, next: -1})
	if r.first < 0 {
		r.first = i
		u.relays = append(u.relays, r)
	} else {
		u.ups[r.last].next = i
	}
	r.last = i
}

// flush sends what waits, relay by relay, with send: from a datagram of the relay on.
func (u *uplink) flush(send func(u *uplink, r *Relay, first int32)) {
	if len(u.ups) == 0 {
		return
	}
	for i, r := range u.relays {
		first := r.first
		r.first, r.last = -1, -1
		u.relays[i] = nil
		send(u, r, first)
	}
	clear(u.ups)
	u.ups, u.relays = u.ups[:0], u.relays[:0]
}

// send sends what waits for a relay, from first on. The relay's descriptor is good.
func (u *uplink) send(r *Relay, first int32) {
	for first >= 0 {
		if r.ended.Load() {
			first = u.lose(first)
		} else {
			first = u.sendRun(r, first)
		}
	}
}

// lose tells that the socket of a datagram is closed, and returns what comes after it.
func (u *uplink) lose(first int32) int32 {
	tell(u.ups[first].tally, Up, 1, 0, syscall.EBADF)
	return u.ups[first].next
}

// sendRun sends the longest run that can leave as one train, and returns what
// comes after it.
func (u *uplink) sendRun(r *Relay, first int32) int32 {
	head := &u.ups[first]
	size := len(head.payload)
	limit := u.engine.limit(size, &r.ceiling)
	count, next := 1, head.next
	for count < limit && next >= 0 {
		x := &u.ups[next]
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
		u.sendOne(r, head)
		return next
	}
	errno := u.sendTrain(r, first, count)
	if judge(errno, size) == notTheTrain {
		return next
	}
	passed := true
	for i := first; i != next; i = u.ups[i].next {
		passed = u.sendOne(r, &u.ups[i]) && passed
	}
	if passed {
		u.engine.learn(errno, size, &r.ceiling)
	}
	return next
}

// sendOne says whether the datagram has left.
func (u *uplink) sendOne(r *Relay, x *upward) bool {
	var to sockaddr
	to.set(x.to, r.ipv6)
	errno := sendto(r.fd, x.payload, &to)
	tell(x.tally, Up, 1, len(x.payload), errno)
	return errno == 0
}

// sendTrain sends a run with UDP_SEGMENT. After an error that may be about the train
// they have to be sent one by one; else it is settled.
func (u *uplink) sendTrain(r *Relay, first int32, count int) syscall.Errno {
	head := &u.ups[first]
	u.out.to.set(head.to, r.ipv6)
	u.out.begin()
	bytes := 0
	for i, at := 0, first; i < count; i, at = i+1, u.ups[at].next {
		u.out.append(u.ups[at].payload)
		bytes += len(u.ups[at].payload)
	}
	m := u.out.message(&u.out.to, nil, len(head.payload))
	_, errno := sendmmsg(r.fd, m)
	if judge(errno, len(head.payload)) == notTheTrain {
		tell(head.tally, Up, count, bytes, errno)
	}
	return errno
}

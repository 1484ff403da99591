package batch

import "syscall"

// downward is a datagram on its way to a client.
type downward struct {
	packet []byte
	size   int // of the payload in it
	to     *Client
	tally  Tally
}

// ToClient sends a packet, with size bytes of payload in it, to a client at the
// end of the turn. The packet must be in the slot of the datagram in hand, or in
// a Room.
func (w *Worker) ToClient(c *Client, packet []byte, size int, tally Tally) {
	if len(w.downs) == cap(w.downs) {
		w.Flush()
	}
	w.downs = append(w.downs, downward{packet: packet, size: size, to: c, tally: tally})
}

// flushDown sends everything of one listener after the other, nearly always
// there is only one. A lone datagram has a cheaper system call.
func (w *Worker) flushDown() {
	if x := &w.downs[0]; len(w.downs) == 1 && len(x.to.control) == 0 {
		w.settleRun(0, 1, sendto(w.sockets[x.to.listener.index].fd, x.packet, &x.to.to))
	} else {
		for first := 0; first < len(w.downs); {
			first = w.sendListener(first)
		}
	}
	clear(w.downs)
	w.downs = w.downs[:0]
}

// sendListener sends what is for clients of one listener, from first on, in one
// system call, and returns what comes after it.
func (w *Worker) sendListener(first int) int {
	listener := w.downs[first].to.listener
	w.out.begin()
	next := first
	for next < len(w.downs) && w.downs[next].to.listener == listener && !w.out.full() {
		next = w.packRun(next)
	}
	fd := w.sockets[listener.index].fd
	for sent, at := 0, first; sent < len(w.out.runs); {
		n, errno := sendmmsg(fd, w.out.messages[sent:len(w.out.runs)])
		for range n {
			at = w.settleRun(at, w.out.runs[sent], 0)
			sent++
		}
		if errno != 0 {
			at = w.failRun(fd, at, w.out.runs[sent], errno)
			sent++
		}
	}
	return next
}

// packRun packs the run that begins at first into one message, and returns what
// comes after it.
func (w *Worker) packRun(first int) int {
	head := &w.downs[first]
	limit := w.engine.limit(len(head.packet), &head.to.ceiling)
	next := first + 1
	w.out.append(head.packet)
	for next < len(w.downs) && next-first < limit {
		x := &w.downs[next]
		if x.to != head.to || !fits(len(x.packet), len(head.packet)) {
			break
		}
		w.out.append(x.packet)
		next++
		if len(x.packet) < len(head.packet) {
			break
		}
	}
	segment := 0
	if next-first > 1 {
		segment = len(head.packet)
	}
	w.out.message(&head.to.to, head.to.control, segment)
	w.out.runs = append(w.out.runs, next-first)
	return next
}

// settleRun tells what became of a run.
func (w *Worker) settleRun(first, count int, errno syscall.Errno) int {
	head := &w.downs[first]
	bytes := 0
	for i := range w.downs[first : first+count] {
		bytes += w.downs[first+i].size
	}
	tell(head.tally, Down, count, bytes, errno)
	return first + count
}

// failRun sends a run one by one where the error may be about the train.
func (w *Worker) failRun(fd, first, count int, errno syscall.Errno) int {
	head := &w.downs[first]
	size := len(head.packet)
	if count == 1 || judge(errno, size) == notTheTrain {
		return w.settleRun(first, count, errno)
	}
	passed := true
	for i := first; i < first+count; i++ {
		x := &w.downs[i]
		_, errno := sendmmsg(fd, w.out.one(x.packet, x.to))
		w.settleRun(i, 1, errno)
		passed = passed && errno == 0
	}
	if passed {
		w.engine.learn(errno, size, &head.to.ceiling)
	}
	return first + count
}

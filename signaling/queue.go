package signaling

import (
	"sync"
	"time"
)

// chunkSize is how many bytes of frames are written together: one TLS record.
const chunkSize = 16 << 10

// chunkFrames is how many frames at the most are written together.
const chunkFrames = 32

// queue is what waits for one socket.
type queue struct {
	mu      sync.Mutex // guards the rest
	items   []item
	count   int       // of items, and those being written
	bytes   int64     // of the same
	ping    bool      // one is due
	pong    *frame    // the answer to the last ping (RFC 6455 5.5.3)
	last    *frame    // the close frame; nothing comes after it
	live    bool      // upgraded: there is a connection
	closing bool      // nothing is queued any more
	writing bool      // there is a writer
	cutAt   time.Time // when a closing socket's connection is cut
	readBy  time.Time // the connection's read deadline
	writeBy time.Time // and its write deadline
}

// send queues a message and reports whether the socket still takes any: it is
// closed when the message would be too much.
func (s *socket) send(it item, w when) bool {
	q := &s.queue
	size := int64(it.size())
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closing {
		return false
	}
	limit := s.server.tuning.queueBytes(s.server.queued.Load(), s.server.settings.Load().maxMessage)
	if q.count >= s.server.tuning.frames || q.bytes+size > limit {
		s.server.count(refuseTooSlow)
		s.shutLocked(s.lastWords(refuseTooSlow), s.server.tuning.write)
		return false
	}
	s.push(it, size)
	s.startWriter(w)
	return true
}

// push queues an item of size bytes. queue.mu is held.
func (s *socket) push(it item, size int64) {
	q := &s.queue
	q.items = append(q.items, it)
	q.count++
	q.bytes += size
	s.server.queued.Add(size)
}

// begin queues what a member of a room gets first, whatever the bounds: they are
// for what comes after it.
func (s *socket) begin(welcome *frame, missed []item) {
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closing {
		return
	}
	s.push(item{frame: welcome}, int64(len(welcome.wire)))
	for _, it := range missed {
		s.push(it, int64(it.size()))
	}
	s.startWriter(atOnce)
}

// sendPing queues a ping unless one is waiting already.
func (s *socket) sendPing() {
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closing {
		return
	}
	q.ping = true
	s.startWriter(atOnce)
	s.armPing()
}

// sendPong queues the answer to a ping, in the place of one that waits.
func (s *socket) sendPong(f *frame) {
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closing {
		return
	}
	q.pong = f
	s.startWriter(atOnce)
}

// shut ends the socket: what waits is dropped, last is written after what is
// being written now, and after grace the connection is cut. Without last nobody
// is told. Only the first shut counts.
func (s *socket) shut(last *frame, grace time.Duration) {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	s.shutLocked(last, grace)
}

func (s *socket) shutLocked(last *frame, grace time.Duration) {
	q := &s.queue
	if q.closing {
		return
	}
	q.closing = true
	s.drop()
	q.cutAt = time.Now().Add(grace)
	if q.live {
		s.wire.Conn.SetDeadline(q.cutAt)
	}
	if q.last = last; last != nil || q.writing {
		s.startWriter(atOnce)
	}
}

// release begins with reading and writing, once the peer has the answer to its
// upgrade. A socket is a member of its room before that: who knows that it is
// connected must get what is sent from then on.
func (s *socket) release() {
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	q.live = true
	if q.closing {
		s.wire.Conn.SetDeadline(q.cutAt)
	} else {
		q.extend(&q.readBy, s.server.tuning.idle)
		s.wire.Conn.SetReadDeadline(q.readBy)
		s.armPing()
	}
	s.startWriter(atOnce)
}

// cut ends the socket at once, whatever it is doing.
func (s *socket) cut() {
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	s.shutLocked(nil, 0)
	if q.live {
		s.wire.abort()
	}
}

// drop forgets what waits. queue.mu is held.
func (s *socket) drop() {
	q := &s.queue
	var size int64
	for _, it := range q.items {
		size += int64(it.size())
	}
	q.count -= len(q.items)
	q.bytes -= size
	s.server.queued.Add(-size)
	q.items, q.ping, q.pong = nil, false, nil
}

// isClosing says whether shut has been called.
func (s *socket) isClosing() bool {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return s.queue.closing
}

// alive moves the read deadline on after a sign of life.
func (s *socket) alive() {
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.extend(&q.readBy, s.server.tuning.idle) {
		s.wire.Conn.SetReadDeadline(q.readBy)
	}
}

// extend moves a deadline to limit from now and reports whether the connection
// has to hear of it: not when the one it has is nearly as good, which saves a
// system timer a frame, and not when the socket is closing and has its final one.
func (q *queue) extend(by *time.Time, limit time.Duration) bool {
	now := time.Now()
	if q.closing || by.Sub(now) > limit-limit/8 {
		return false
	}
	*by = now.Add(limit)
	return true
}

package signaling

import (
	"errors"
	"os"
	"runtime/debug"
	"slices"
	"time"
)

// startWriter makes sure that there is a writer, if the socket is live: its room's
// courier, or one that waits where there is none. queue.mu is held.
func (s *socket) startWriter(w when) {
	if !s.queue.live {
		return
	}
	if s.queue.writing {
		if w == atOnce && s.courier != nil {
			s.courier.start(s.server) // s may stand in its line
		}
		return
	}
	s.queue.writing = true
	s.writer.Add(1)
	if s.bold != nil && s.courier != nil {
		s.courier.add(s, w)
	} else {
		go s.write(chunk{})
	}
}

// write is the writer of a socket that may have to be waited for: it writes c and
// then what waits, until nothing does.
func (s *socket) write(c chunk) {
	defer s.caught(&c)
	for more := true; more; {
		s.limitWrite()
		if err := s.flush(&c, true); err != nil {
			s.writeFailed(&c, err)
			return
		}
		if more = s.wrote(&c); more {
			s.take(&c)
		}
	}
}

// finish goes on as write where the courier would have to wait, when c has been
// written but is pending.
func (s *socket) finish(c chunk) {
	defer s.caught(&c)
	s.limitWrite()
	if err := s.bold.Flush(); err != nil {
		s.writeFailed(&c, err)
		return
	}
	if s.wrote(&c) {
		s.write(chunk{})
	}
}

// caught is deferred by whoever writes c: a panic ends this socket alone.
func (s *socket) caught(c *chunk) {
	if p := recover(); p != nil {
		s.server.log.Error("writing to a socket panicked", "panic", p, "stack", string(debug.Stack()))
		s.writeFailed(c, errPanic)
	}
}

// limitWrite sets how long the peer may be waited for. It holds for what TLS writes
// on its own account too, and so only until endWriter.
func (s *socket) limitWrite() {
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.extend(&q.writeBy, s.server.tuning.write) {
		s.wire.Conn.SetWriteDeadline(q.writeBy)
	}
}

// chunk is what is written at once.
type chunk struct {
	items    [chunkFrames]item
	n        int   // of items
	messages int   // of those; the others are control frames
	bytes    int64 // of the messages
}

func (c *chunk) add(it item) {
	c.items[c.n] = it
	c.n++
}

// take takes what is next, control frames first. What waited may have been dropped
// meanwhile.
func (s *socket) take(c *chunk) {
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	*c = chunk{}
	q.takeControl(c)
	q.takeMessages(c)
}

// wrote gives back the room of what was written, and says whether there is more. If
// not, it has ended the writer.
func (s *socket) wrote(c *chunk) (more bool) {
	s.server.stats.sent(c)
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	s.giveBack(c)
	if len(q.items) > 0 || q.ping || q.pong != nil || q.last != nil {
		return true
	}
	s.endWriter()
	return false
}

// endWriter says that there is no writer from here on: the next to queue something
// starts one. queue.mu is held.
func (s *socket) endWriter() {
	q := &s.queue
	q.writing = false
	if !q.closing && !q.writeBy.IsZero() {
		q.writeBy = time.Time{}
		s.wire.Conn.SetWriteDeadline(q.writeBy)
	}
	s.writer.Done()
}

// giveBack gives back the room that the messages of c took. queue.mu is held.
func (s *socket) giveBack(c *chunk) {
	s.queue.count -= c.messages
	s.queue.bytes -= c.bytes
	if c.bytes > 0 {
		s.server.queued.Add(-c.bytes)
	}
}

func (q *queue) takeControl(c *chunk) {
	if q.ping {
		c.add(item{frame: pingFrame})
		q.ping = false
	}
	if q.pong != nil {
		c.add(item{frame: q.pong})
		q.pong = nil
	}
	if q.last != nil {
		c.add(item{frame: q.last})
		q.last = nil
	}
}

// takeMessages takes whole messages up to chunkSize, at least one.
func (q *queue) takeMessages(c *chunk) {
	n := 0
	for n < len(q.items) && c.n < chunkFrames {
		size := int64(q.items[n].size())
		if n > 0 && c.bytes+size > chunkSize {
			break
		}
		c.add(q.items[n])
		c.bytes += size
		q.items[n] = item{}
		n++
	}
	c.messages = n
	if q.items = q.items[n:]; len(q.items) == 0 {
		q.items = nil
	}
}

// flush writes the frames of c, those that are small together. With wait it returns
// when the kernel has all of it, else some may be pending.
func (s *socket) flush(c *chunk, wait bool) error {
	if c.n == 1 && !c.items[0].frame.numbered {
		return s.put(c.items[0].frame.wire, wait)
	}
	buf := s.server.chunks.Get().(*[]byte)
	defer s.server.chunks.Put(buf)
	b := (*buf)[:0]
	for _, it := range c.items[:c.n] {
		if len(b)+it.size() > cap(b) {
			if err := s.put(b, wait); err != nil {
				return err
			}
			b = b[:0]
		}
		b = it.appendHead(b)
		if len(b)+len(it.frame.wire) <= cap(b) {
			b = append(b, it.frame.wire...)
			continue
		}
		if err := s.put(b, wait); err != nil {
			return err
		}
		if err := s.put(it.frame.wire, wait); err != nil {
			return err
		}
		b = b[:0]
	}
	return s.put(b, wait)
}

// put writes b. With wait it does so piece by piece: no more than one is pending.
func (s *socket) put(b []byte, wait bool) error {
	for piece := range slices.Chunk(b, chunkSize) {
		if _, err := s.wire.Conn.Write(piece); err != nil {
			return err
		}
		if wait && s.bold != nil {
			if err := s.bold.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeFailed ends the writer, and the socket: its stream is now broken in the middle
// of a frame, and there is nothing left to say on it.
func (s *socket) writeFailed(c *chunk, err error) {
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if errors.Is(err, os.ErrDeadlineExceeded) && !q.closing {
		s.server.count(refuseTooSlow)
	}
	s.giveBack(c)
	s.shutLocked(nil, 0)
	q.last = nil
	s.wire.abort()
	s.endWriter()
}

func newChunk() any {
	b := make([]byte, 0, chunkSize)
	return &b
}

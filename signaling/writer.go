package signaling

import (
	"errors"
	"os"
)

// startWriter makes sure that there is a writer, if the socket is live: its room's
// courier, or one that waits where there is none. queue.mu is held.
func (s *socket) startWriter() {
	if s.queue.writing || !s.queue.live {
		return
	}
	s.queue.writing = true
	s.writer.Add(1)
	if s.bold != nil && s.courier != nil {
		s.courier.add(s)
	} else {
		go s.write()
	}
}

// write is the writer of a socket until nothing waits. It waits for the peer.
func (s *socket) write() {
	defer s.writer.Done()
	var c chunk
	s.take(&c)
	s.writeOn(&c, s.flush(&c))
}

// finish goes on as write where the courier would have to wait, in the middle of c.
func (s *socket) finish(c chunk) {
	defer s.writer.Done()
	s.writeOn(&c, nil)
}

// writeOn waits until c has left, which has been written with this error, and
// writes the chunks after it.
func (s *socket) writeOn(c *chunk, err error) {
	for {
		if err == nil && s.bold != nil {
			err = s.bold.Flush()
		}
		if err != nil {
			s.writeFailed(c, err)
			return
		}
		if !s.wrote(c) {
			return
		}
		s.take(c)
		err = s.flush(c)
	}
}

// chunk is what is written at once. It lives on the writer's stack.
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
	if c.n > 0 && q.extend(&q.writeBy, s.server.tuning.write) {
		s.wire.Conn.SetWriteDeadline(q.writeBy)
	}
}

// wrote gives back the room of what was written, and says whether there is more.
// If not, there is no writer from here on.
func (s *socket) wrote(c *chunk) (more bool) {
	s.server.stats.sent(c)
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	s.giveBack(c)
	q.writing = len(q.items) > 0 || q.ping || q.pong != nil || q.last != nil
	return q.writing
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

// flush writes the frames of c, those that are small together.
func (s *socket) flush(c *chunk) error {
	if c.n == 1 && !c.items[0].frame.numbered {
		return s.put(c.items[0].frame.wire)
	}
	buf := s.server.chunks.Get().(*[]byte)
	defer s.server.chunks.Put(buf)
	b := (*buf)[:0]
	for _, it := range c.items[:c.n] {
		if len(b)+it.size() > cap(b) {
			if err := s.put(b); err != nil {
				return err
			}
			b = b[:0]
		}
		b = it.appendHead(b)
		if len(b)+len(it.frame.wire) <= cap(b) {
			b = append(b, it.frame.wire...)
			continue
		}
		if err := errors.Join(s.put(b), s.put(it.frame.wire)); err != nil {
			return err
		}
		b = b[:0]
	}
	return s.put(b)
}

// put writes b unless it is empty.
func (s *socket) put(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	_, err := s.wire.Conn.Write(b)
	return err
}

// writeFailed ends a socket whose stream is now broken in the middle of a frame:
// there is nothing left to say on it.
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
	q.writing = false
	s.wire.abort()
}

func newChunk() any {
	b := make([]byte, 0, chunkSize)
	return &b
}

package signaling

import (
	"errors"
	"os"
)

// startWriter makes sure that there is a writer, if the socket is live. queue.mu
// is held.
func (s *socket) startWriter() {
	if s.queue.writing || !s.queue.live {
		return
	}
	s.queue.writing = true
	s.writer.Add(1)
	go s.write()
}

// write is the one writer of the socket, until nothing waits.
func (s *socket) write() {
	defer s.writer.Done()
	var c chunk
	for s.take(&c) {
		if err := s.flush(&c); err != nil {
			s.writeFailed(&c, err)
			return
		}
		s.server.stats.sent(&c)
	}
}

// chunk is what is written at once. It lives on the writer's stack.
type chunk struct {
	frames   [chunkFrames]*frame
	n        int   // of frames
	messages int   // of those; the others are control frames
	bytes    int64 // of the messages
}

func (c *chunk) add(f *frame) {
	c.frames[c.n] = f
	c.n++
}

// take gives back the room of what was written and takes what is next, control
// frames first. It reports false when there is nothing, and then the writer has
// to end.
func (s *socket) take(c *chunk) bool {
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	s.giveBack(c)
	*c = chunk{}
	q.takeControl(c)
	q.takeMessages(c)
	if c.n == 0 {
		q.writing = false
		return false
	}
	if q.extend(&q.writeBy, s.server.tuning.write) {
		s.wire.Conn.SetWriteDeadline(q.writeBy)
	}
	return true
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
		c.add(pingFrame)
		q.ping = false
	}
	if q.pong != nil {
		c.add(q.pong)
		q.pong = nil
	}
	if q.last != nil {
		c.add(q.last)
		q.last = nil
	}
}

// takeMessages takes whole messages up to chunkSize, at least one.
func (q *queue) takeMessages(c *chunk) {
	n := 0
	for n < len(q.frames) && c.n < chunkFrames {
		size := int64(len(q.frames[n].wire))
		if n > 0 && c.bytes+size > chunkSize {
			break
		}
		c.add(q.frames[n])
		c.bytes += size
		q.frames[n] = nil
		n++
	}
	c.messages = n
	if q.frames = q.frames[n:]; len(q.frames) == 0 {
		q.frames = nil
	}
}

// flush writes the frames of c, those that are small together.
func (s *socket) flush(c *chunk) error {
	if c.n == 1 {
		_, err := s.wire.Conn.Write(c.frames[0].wire)
		return err
	}
	buf := s.server.chunks.Get().(*[]byte)
	defer s.server.chunks.Put(buf)
	b := (*buf)[:0]
	for _, f := range c.frames[:c.n] {
		if len(b) > 0 && len(b)+len(f.wire) > cap(b) {
			if _, err := s.wire.Conn.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
		if len(f.wire) > cap(b) {
			if _, err := s.wire.Conn.Write(f.wire); err != nil {
				return err
			}
			continue
		}
		b = append(b, f.wire...)
	}
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

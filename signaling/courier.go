package signaling

import (
	"math"
	"sync"
)

// readerShare is how many turns a reader of the room gives before it reads on.
const readerShare = 256

// courier writes to the sockets of one room, to one after the other, and waits for
// none: who does not take all at once gets a goroutine of its own that waits. It takes
// turns, one chunk a socket. While it is on its way, what else is said in the room
// queues up and leaves in fewer writes.
//
// A reader that has taken what there was and would wait for more is the courier
// itself: what it has read is still at hand, and nobody has to be woken. Everything
// else has a goroutine.
type courier struct {
	mu          sync.Mutex // guards the rest and every socket's following
	first, last *socket    // of those whose turn comes, linked by following
	running     bool
	busy        int // readers that will be the courier in a moment
}

// add gives s a turn. It must be live, have no other writer, and count in
// server.wg until it has been written to.
func (c *courier) add(s *socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == nil {
		c.first = s
	} else {
		c.last.following = s
	}
	c.last = s
	if !c.running && c.busy == 0 {
		c.running = true
		s.server.wg.Go(c.run)
	}
}

// take says that a reader is at work, who will call turn.
func (c *courier) take() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy++
}

// turn makes the reader who has called take the courier, if there is none: for a
// while, and should he panic, a goroutine goes on.
func (c *courier) turn(s *Server) {
	c.mu.Lock()
	c.busy--
	due := c.first != nil && !c.running
	c.running = c.running || due
	c.mu.Unlock()
	if !due {
		return
	}
	home := false
	defer func() {
		if !home {
			s.wg.Go(c.run)
		}
	}()
	home = c.walk(readerShare)
}

// next takes out the socket whose turn it is. After nil the courier has to end.
func (c *courier) next() *socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.first
	if s == nil {
		c.last, c.running = nil, false
		return nil
	}
	c.first, s.following = s.following, nil
	return s
}

func (c *courier) run() { c.walk(math.MaxInt) }

// walk serves up to limit sockets and says whether nobody is left: then c is not
// running any more.
func (c *courier) walk(limit int) (home bool) {
	var chunk chunk
	for range limit {
		s := c.next()
		if s == nil {
			return true
		}
		c.serve(s, &chunk)
	}
	return false
}

// serve writes one chunk of what waits for s. A frame that is larger than a chunk is
// not for the courier: all of it would be pending where the kernel takes nothing.
func (c *courier) serve(s *socket, chunk *chunk) {
	s.take(chunk)
	if chunk.bytes > chunkSize {
		go s.write(*chunk)
		return
	}
	err := s.flush(chunk, false)
	switch {
	case err != nil:
		s.writeFailed(chunk, err)
	case s.bold.Pending():
		go s.finish(*chunk)
	case s.wrote(chunk):
		c.add(s)
	}
}

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
// It is a goroutine that is there while something waits. For messages, it is the
// reader that has taken them, when it would wait for more: what it has read is still
// at hand, and nobody has to be woken. Should it not come so far, its messages wait
// for the next who has something to say in the room, and nothing else does.
type courier struct {
	mu          sync.Mutex // guards the rest and every socket's following
	first, last *socket    // of those whose turn comes, linked by following
	running     bool
}

// when is how soon has to leave what is queued.
type when bool

const (
	atOnce when = true  // a goroutine sets out, if there is no courier
	soon   when = false // the reader that queues it calls turn
)

// add gives s a turn. It must be live, have no other writer, and count in
// server.wg until it has been written to.
func (c *courier) add(s *socket, w when) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == nil {
		c.first = s
	} else {
		c.last.following = s
	}
	c.last = s
	if w == atOnce {
		c.startLocked(s.server)
	}
}

// start has a goroutine set out if somebody waits and nobody does.
func (c *courier) start(s *Server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.startLocked(s)
}

func (c *courier) startLocked(s *Server) {
	if c.claim() {
		s.wg.Go(c.run)
	}
}

// claim makes whoever calls it the courier, if somebody waits and there is none. mu
// is held.
func (c *courier) claim() bool {
	if c.first == nil || c.running {
		return false
	}
	c.running = true
	return true
}

// turn makes a reader the courier, if there is none: for up to share sockets, then a
// goroutine goes on.
func (c *courier) turn(s *Server, share int) {
	c.mu.Lock()
	mine := c.claim()
	c.mu.Unlock()
	if mine && !c.walk(share) {
		s.wg.Go(c.run)
	}
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
// not for the courier: all of it would be pending where the kernel takes nothing. A
// panic ends s alone.
func (c *courier) serve(s *socket, chunk *chunk) {
	defer s.caught(chunk)
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
		c.add(s, soon) // c is on its way
	}
}

package signaling

import "sync"

// courier writes to the sockets of one room, to one after the other, and waits for
// none: who does not take what there is at once gets a goroutine of its own that
// waits. It takes turns, one chunk a socket. While it is on its way, what else is
// said in the room queues up and leaves in fewer writes.
type courier struct {
	mu          sync.Mutex // guards the rest and every socket's following
	first, last *socket    // of those whose turn comes, linked by following
	running     bool
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
	if !c.running {
		c.running = true
		s.server.wg.Go(c.run)
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

func (c *courier) run() {
	var chunk chunk
	for s := c.next(); s != nil; s = c.next() {
		c.serve(s, &chunk)
	}
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

package turnserver

import (
	"net"
	"sync"
	"time"
)

// queue is what waits to be written to a stream: a bounded run of bytes, which
// one goroutine writes. Whoever puts something in never waits for the client.
type queue struct {
	conn net.Conn

	mu      sync.Mutex // guards what follows
	more    *sync.Cond
	pending []byte
	closed  bool
}

func newQueue(conn net.Conn) *queue {
	q := &queue{conn: conn}
	q.more = sync.NewCond(&q.mu)
	return q
}

// send implements client. Packets are padded to a multiple of four, as streams
// want ChannelData (RFC 8656 section 12.5); STUN messages are one anyway.
func (q *queue) send(packet []byte) (drop, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.pending)+len(packet)+tailroom > queueBytes {
		return dropSlowClient, false
	}
	q.pending = append(q.pending, packet...)
	for range -len(packet) & 3 {
		q.pending = append(q.pending, 0)
	}
	q.more.Signal()
	return 0, true
}

// fits implements client: a STUN message with the longest length, or
// ChannelData.
func (q *queue) fits() int { return headerSize + maxPayload - 3 }

// run writes until the queue is closed or the client takes nothing for
// writeStall, and closes the connection then.
func (q *queue) run() {
	var writing []byte
	for {
		q.mu.Lock()
		for len(q.pending) == 0 && !q.closed {
			q.more.Wait()
		}
		if q.closed {
			q.mu.Unlock()
			return
		}
		writing, q.pending = q.pending, writing[:0]
		q.mu.Unlock()
		q.conn.SetWriteDeadline(time.Now().Add(writeStall))
		if _, err := q.conn.Write(writing); err != nil {
			q.conn.Close() // the reader notices, and ends the stream
			q.close()
			return
		}
		if cap(writing) > 16<<10 {
			writing = nil // an idle stream holds no large buffer
		}
	}
}

// close ends run. What waits is not written any more.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.pending = nil
	q.more.Signal()
}

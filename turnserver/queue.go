package turnserver

import (
	"net"
	"sync"
	"time"
)

// writeSize is how much is written under one deadline: a slow client is one that
// takes less than that in writeStall.
const writeSize = 16 << 10

// answerBytes is kept free for answers, which nobody asks for again over a stream.
const answerBytes = 16 << 10

// queue is what waits to be written to a stream: a bounded run of bytes, which
// one goroutine writes. Whoever puts something in never waits for the client.
type queue struct {
	conn net.Conn
	// apart: each message is written by itself, and so gets a TLS record of its
	// own. Some clients take what one read gives for one message.
	apart bool

	mu      sync.Mutex // guards what follows
	more    *sync.Cond
	pending []byte
	writing int // bytes taken out of pending and not written yet
	closed  bool
}

func newQueue(conn net.Conn, apart bool) *queue {
	q := &queue{conn: conn, apart: apart}
	q.more = sync.NewCond(&q.mu)
	return q
}

// send implements client. Packets are padded to a multiple of four, as streams
// want ChannelData (RFC 8656 section 12.5); STUN messages are one anyway.
func (q *queue) send(packet []byte) (drop, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	room := queueBytes
	if isAnswer(packet) {
		room += answerBytes
	}
	if q.closed || q.writing+len(q.pending)+len(packet)+tailroom > room {
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

// run writes until the queue is closed or the client is too slow, and closes the
// connection then.
func (q *queue) run() {
	var buf []byte
	for {
		var ok bool
		if buf, ok = q.take(buf[:0]); !ok {
			return
		}
		if err := q.write(buf); err != nil {
			q.conn.Close() // the reader notices, and ends the stream
			q.close()
			return
		}
		if cap(buf) > writeSize {
			buf = nil // an idle stream holds no large buffer
		}
	}
}

// take waits for something to write and returns it. empty becomes the buffer of
// what comes next.
func (q *queue) take(empty []byte) ([]byte, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writing = 0
	for len(q.pending) == 0 && !q.closed {
		q.more.Wait()
	}
	if len(q.pending) == 0 {
		return nil, false
	}
	full := q.pending
	q.pending, q.writing = empty, len(full)
	return full, true
}

func (q *queue) write(b []byte) error {
	for len(b) > 0 {
		n := min(len(b), writeSize)
		if q.apart {
			_, n, _ = frameSize(b) // whole frames stand here, and nothing else
		}
		q.conn.SetWriteDeadline(time.Now().Add(writeStall))
		if _, err := q.conn.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// finish ends run when what waits is written.
func (q *queue) finish() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.more.Signal()
}

// close ends run. What waits is not written any more.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.pending = nil
	q.more.Signal()
}

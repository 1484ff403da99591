package turnserver

import (
	"net"
	"slices"
	"sync"
	"time"

	"icebox/internal/nowait"
)

// writeSize is how much is written under one deadline: a slow client is one that
// takes less than that in writeStall.
const writeSize = 16 << 10

// together is how much is written at once, about, of what is put.
const together = 8 << 10

// answerBytes is kept free for answers, which nobody asks for again over a stream.
const answerBytes = 16 << 10

// queue is what waits to be written to a stream: a bounded run of bytes. Whoever puts
// something in never waits for the client: he writes it himself where nothing waits and
// the kernel takes it, and what it does not take one goroutine writes.
type queue struct {
	conn net.Conn
	// apart: each message is written by itself, and so gets a TLS record of its
	// own. Some clients take what one read gives for one message.
	apart bool

	// bold is what is at the bottom of conn; nil: it has to be waited for. open sets it,
	// with mu held and before anything is in pending, and nobody after it.
	bold *nowait.Conn

	mu      sync.Mutex // guards what follows
	more    *sync.Cond
	pending []byte
	writing int  // bytes taken out of pending and not written yet
	busy    bool // run writes, or is about to
	closed  bool
}

func newQueue(conn net.Conn, apart bool) *queue {
	q := &queue{conn: conn, apart: apart}
	q.more = sync.NewCond(&q.mu)
	return q
}

// open lets senders write themselves. It comes after the handshake of TLS, before anything
// is sent, from who reads the stream.
func (q *queue) open() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bold = nowait.Of(q.conn); q.bold != nil {
		q.bold.Hurry(nil)
	}
}

// send implements client.
func (q *queue) send(packet []byte) (drop, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.add(packet) || !q.start() {
		return dropSlowClient, false
	}
	return 0, true
}

// put is send for who has more and calls push soon, so that it leaves together.
func (q *queue) put(packet []byte) (drop, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.add(packet) || len(q.pending) >= together && !q.start() {
		return dropSlowClient, false
	}
	return 0, true
}

// push sends what was put.
func (q *queue) push() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.pending) > 0 {
		q.start()
	}
}

// add has a packet wait, if there is room, padded to a multiple of four, as streams want
// ChannelData (RFC 8656 section 12.5); STUN messages are one anyway. mu is held.
func (q *queue) add(packet []byte) bool {
	room := queueBytes
	if isAnswer(packet) {
		room += answerBytes
	}
	if q.closed || q.writing+len(q.pending)+len(packet)+tailroom > room {
		return false
	}
	q.pending = append(q.pending, packet...)
	for range -len(packet) & 3 {
		q.pending = append(q.pending, 0)
	}
	return true
}

// start sees to it that what waits is written: here and now, if that needs no waiting and
// run is not at it. It fails where the connection has failed. mu is held.
func (q *queue) start() bool {
	switch {
	case q.busy:
		return true
	case q.bold == nil || len(q.pending) > writeSize:
		q.wake()
		return true
	}
	b := q.pending
	for len(b) > 0 && !q.bold.Pending() {
		n := q.next(b)
		if _, err := q.conn.Write(b[:n]); err != nil {
			q.closed, q.pending = true, nil
			nowait.Innermost(q.conn).Close() // the reader notices, and ends the stream
			q.more.Signal()
			return false
		}
		b = b[n:]
	}
	q.pending = append(q.pending[:0], b...)
	if q.bold.Pending() {
		q.wake()
	} else if cap(q.pending) > writeSize {
		q.pending = nil // an idle stream holds no large buffer
	}
	return true
}

// wake has run write. mu is held.
func (q *queue) wake() {
	q.busy = true
	q.more.Signal()
}

// next is how many bytes of b are written at once. Whole frames stand in b.
func (q *queue) next(b []byte) int {
	if !q.apart {
		return len(b)
	}
	_, n, _ := frameSize(b)
	return n
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

// take waits for something to write and returns it: nothing, where it is with the
// connection already. empty becomes the buffer of what comes next.
func (q *queue) take(empty []byte) ([]byte, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writing, q.busy = 0, len(q.pending) > 0 || q.bold != nil && q.bold.Pending()
	for !q.busy && !q.closed {
		q.more.Wait()
	}
	if !q.busy {
		return nil, false
	}
	full := q.pending
	q.pending, q.writing = empty, len(full)
	return full, true
}

// write writes what the kernel has not taken from senders, and then b.
func (q *queue) write(b []byte) error {
	if q.bold != nil {
		defer q.conn.SetWriteDeadline(time.Time{}) // which would be over for senders one day
	}
	if err := q.flush(); err != nil {
		return err
	}
	for len(b) > 0 {
		n := q.next(b)
		for part := range slices.Chunk(b[:n], writeSize) {
			q.limit()
			if _, err := q.conn.Write(part); err != nil {
				return err
			}
			if err := q.flush(); err != nil {
				return err
			}
		}
		b = b[n:]
	}
	return nil
}

func (q *queue) limit() { q.conn.SetWriteDeadline(time.Now().Add(writeStall)) }

// flush waits until the kernel has all that was written.
func (q *queue) flush() error {
	if q.bold == nil || !q.bold.Pending() {
		return nil
	}
	q.limit()
	return q.bold.Flush()
}

// finish ends run when what waits is written.
func (q *queue) finish() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.busy = true, q.busy || len(q.pending) > 0
	q.more.Signal()
}

// hangUp closes the connection. Where run waits for the client, it does without the
// goodbye of TLS, which would have to wait too.
func (q *queue) hangUp() {
	q.mu.Lock()
	busy := q.busy
	q.mu.Unlock()
	if busy {
		nowait.Innermost(q.conn).Close()
	}
	q.conn.Close()
}

// close ends run. What waits is not written any more.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.pending = nil
	q.more.Signal()
}

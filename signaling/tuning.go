package signaling

import "time"

// tuning is what no owner needs to choose. Tests shorten it.
type tuning struct {
	handshake time.Duration // to write the answer to an upgrade
	ping      time.Duration // from one ping to the next
	idle      time.Duration // without a message, a ping or a pong the peer is gone
	write     time.Duration // one write of at most chunkSize bytes or one frame
	linger    time.Duration // from a close frame until the connection is cut

	frames   int   // that may wait for one socket
	bytes    int64 // of the same, or four of the largest messages
	total    int64 // bytes that may wait for all sockets, before each is held to spare
	spare    int64 // bytes that may wait for a socket then, or one of the largest messages
	kept     int64 // bytes that are kept of what a member was sent last, for its resume
	keptAll  int64 // bytes of that for all members, before each is held to keptLow
	keptLow  int64 // bytes that are kept for one member then
	refusing int   // sockets that are being told 4429 at once
}

func defaultTuning() tuning {
	return tuning{
		handshake: 10 * time.Second,
		ping:      25 * time.Second,
		idle:      60 * time.Second,
		write:     10 * time.Second,
		linger:    2 * time.Second,
		frames:    8192,
		bytes:     1 << 20,
		total:     64 << 20,
		spare:     64 << 10,
		kept:      256 << 10,
		keptAll:   64 << 20,
		keptLow:   4 << 10,
		refusing:  64,
	}
}

// queueBytes is how much may wait for one socket while queued bytes wait for
// all. The two rules keep a few stalled sockets from taking the memory of a
// small box, without ever refusing a message to a socket that keeps up.
func (t *tuning) queueBytes(queued, maxMessage int64) int64 {
	largest := maxMessage + maxEnvelope
	if queued > t.total {
		return max(t.spare, largest)
	}
	return max(t.bytes, 4*largest)
}

// keepBytes is how much is kept for one member while all keep kept bytes.
func (t *tuning) keepBytes(kept int64) int64 {
	if kept > t.keptAll {
		return t.keptLow
	}
	return t.kept
}

package signaling

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"time"

	"icebox/internal/nowait"
)

// errPadding ends a peer whose frames are nearly all header: empty fragments are
// no message, so that nothing else would ever count them.
var errPadding = errors.New("too many bytes without a message")

// wire is the connection as the websocket package sees it.
//
// It reads from the network, within a budget. What the websocket package writes
// on its own account after the upgrade, the close frame for what it could not
// read, goes nowhere: the socket's one writer says it instead.
type wire struct {
	net.Conn
	live   bool        // upgraded
	fresh  func(n int) // called when n bytes have come, by who reads
	budget int64       // bytes that may still come before the next message has; reader only
	broken bool        // the websocket package has found a fault in a frame; reader only
}

func (w *wire) Read(p []byte) (int, error) {
	if w.budget <= 0 {
		return 0, errPadding
	}
	n, err := w.Conn.Read(p)
	w.budget -= int64(n)
	if n > 0 {
		w.fresh(n)
	}
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	if !w.live {
		return w.Conn.Write(p)
	}
	w.broken = true
	return len(p), nil
}

// SetWriteDeadline belongs to the writer once the socket is live.
func (w *wire) SetWriteDeadline(t time.Time) error {
	if !w.live {
		return w.Conn.SetWriteDeadline(t)
	}
	return nil
}

// abort cuts the connection at once: what is at the bottom first. TLS alone could
// wait for a peer that does not read, to have its last word taken.
func (w *wire) abort() {
	nowait.Innermost(w.Conn).Close()
	w.Conn.Close()
}

// hijacker puts a wire between the HTTP server's connection and the websocket
// package.
type hijacker struct {
	http.ResponseWriter
	wire *wire
}

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.wire.Conn = conn
	return h.wire, rw, nil
}

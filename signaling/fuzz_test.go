package signaling

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// FuzzFrames throws bytes at an upgraded connection, of the seed's relay or of a
// room. Whatever they are, the socket ends when its peer does, what the others in the room get is sound text
// within the limit, and nothing is left.
func FuzzFrames(f *testing.F) {
	seeds := [][]byte{
		clientFrame(0x81, 5, "hello"),
		clientFrame(0x81, 1<<63-1, "x"),
		clientFrame(0x81, 1<<64-1, "x"),
		clientFrame(0xc1, 5, "hello"),
		clientFrame(0x82, 5, "hello"),
		clientFrame(0x88, 2, "\x03\xe8"),
		clientFrame(0x89, 4, "ping"),
		append(clientFrame(0x01, 1, "a"), clientFrame(0x80, 1, "b")...),
		bytes.Repeat(clientFrame(0x00, 0, ""), 100),
		clientFrame(0x81, 12, `{"type":"x"}`),
		append(clientFrame(0x81, 2, "[]"), clientFrame(0x88, 2, "\x0f\xa0")...),
		{0x81, 0x80}, {0x81, 0xfe, 0xff}, {0xff}, {},
	}
	for _, seed := range seeds {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	cfg := unlimited()
	cfg.Signaling.MaxMessage, cfg.Signaling.Resume = 512, time.Millisecond
	tn := defaultTuning()
	tn.linger = 100 * time.Millisecond
	f.Fuzz(func(t *testing.T, b []byte, inRoom bool) {
		s := newServer(cfg, quiet(), tn)
		path := "/"
		if inRoom {
			path = "/ws/r"
		}
		hostile, witness := pipeTo(t, s, path), pipeTo(t, s, path)
		heard := make(chan string)
		var leaving atomic.Bool
		go func() { heard <- listen(witness, &leaving) }()
		go io.Copy(io.Discard, hostile.NetConn())
		hostile.NetConn().SetWriteDeadline(time.Now().Add(patience))
		if _, err := hostile.NetConn().Write(b); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the server stopped reading at %x", b)
		}
		hostile.NetConn().Close()
		waitFor(t, "the socket to end", func() bool { return s.gate.sockets() == 1 })
		leaving.Store(true)
		witness.Close()
		if fault := <-heard; fault != "" {
			t.Errorf("the other peer %s after %x", fault, b)
		}
		waitFor(t, "the witness to end", func() bool { return s.gate.sockets() == 0 })
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
		checkEmpty(t, s)
	})
}

// listen reads until p is leaving and says what was wrong with what came.
func listen(p *peer, leaving *atomic.Bool) string {
	for {
		kind, text, err := p.ReadMessage()
		switch {
		case err != nil && leaving.Load():
			return ""
		case err != nil:
			return "was ended: " + err.Error()
		case kind != websocket.TextMessage || len(text) > 512+200 || !utf8.Valid(text):
			return "got what is no text"
		}
	}
}

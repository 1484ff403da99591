package signaling

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"icebox/internal/nowait"
)

// readBuffer is what the websocket package reads into. TLS holds a whole record
// anyway, so a larger one would only be memory.
const readBuffer = 256

// drainBytes is what a closing socket may still send until it has seen why.
const drainBytes = 4 << 20

// errPanic is the end of a socket that brought its reader or its writer down.
var errPanic = errors.New("panicked")

// socket is one upgraded connection. The goroutine in run reads it and ends it.
type socket struct {
	server *Server
	pass   pass
	wire   wire
	ws     *websocket.Conn
	queue  queue
	writer sync.WaitGroup // the writer, while there is one

	bold      *nowait.Conn // what is at the bottom of wire; nil: it has to be waited for
	courier   *courier     // of its room, set before the socket is live; nil: it has none
	following *socket      // in the courier's line; guarded by courier.mu

	taken int // messages since the reader last was the courier; reader only
	ahead int // bytes read after the first of those; reader only

	inRooms bool    // it is one of /ws/ROOM
	door    *door   // what it asked for, until it has entered
	member  *member // whose connection it is, or was; reader only
	forGood bool    // its member does not come back; reader only

	seed  *seedRoom // set by join, before run; nil for one that is refused or in rooms
	place int       // among the members; guarded by seed.mu

	settings *settings // that the next two are made from; reader only
	limiter  *rate.Limiter
	pinger   *time.Timer // guarded by queue.mu
}

func newSocket(s *Server, set *settings, p pass, d *door) *socket {
	sock := &socket{server: s, pass: p, place: nowhere, settings: set}
	if !d.seed {
		sock.inRooms, sock.door = true, d
	}
	sock.limiter = rate.NewLimiter(set.rate, set.burst)
	sock.wire.fresh = sock.arrived
	return sock
}

// newUpgrader makes the one upgrader. Compression stays off: it costs memory,
// and a small frame could become a large message. The pool keeps the websocket
// package from giving each socket a write buffer that it never uses.
func (s *Server) newUpgrader() *websocket.Upgrader {
	return &websocket.Upgrader{
		HandshakeTimeout: s.tuning.handshake,
		ReadBufferSize:   readBuffer,
		WriteBufferSize:  readBuffer,
		WriteBufferPool:  new(sync.Pool),
		CheckOrigin:      func(*http.Request) bool { return true }, // screen has
		Error: func(w http.ResponseWriter, _ *http.Request, status int, _ error) {
			no := *refuseHandshake
			no.status = status
			s.refuseHTTP(w, &no)
		},
	}
}

// upgrade answers the handshake, and with an error has answered it otherwise.
func (s *socket) upgrade(w http.ResponseWriter, r *http.Request) error {
	ws, err := s.server.upgrader.Upgrade(hijacker{w, &s.wire}, r, nil)
	if err != nil {
		return fmt.Errorf("answering the handshake: %w", err)
	}
	s.ws = ws
	s.wire.live = true
	if s.bold = nowait.Of(s.wire.Conn); s.bold != nil {
		s.bold.Hurry(s.deliver)
	}
	ws.SetReadLimit(s.settings.maxMessage)
	ws.SetPingHandler(s.pinged)
	ws.SetPongHandler(s.ponged)
	ws.SetCloseHandler(func(int, string) error { return nil })
	s.refill()
	return nil
}

// arrived is called when n bytes have come.
func (s *socket) arrived(n int) {
	s.refresh()
	if s.ahead += n; s.ahead > chunkSize {
		s.deliver()
	}
}

// refresh puts new limits in force, so that they hold for a message that begins with
// what has just come.
func (s *socket) refresh() {
	set := s.server.settings.Load()
	if set == s.settings {
		return
	}
	s.settings = set
	s.ws.SetReadLimit(set.maxMessage)
	s.limit()
	s.refill()
}

// limit has the limiter go by the settings.
func (s *socket) limit() {
	s.limiter.SetLimit(s.settings.rate)
	s.limiter.SetBurst(s.settings.burst)
}

// refill lets the peer send another message: its bytes, as many again for
// headers, and a few control frames.
func (s *socket) refill() {
	s.wire.budget = 2*s.settings.maxMessage + 4096
}

// run reads until the peer, the network or shut ends the socket. One that has been
// refused is told so.
func (s *socket) run(welcome bool) {
	defer s.server.wg.Done()
	defer s.end()
	if welcome && s.inRooms {
		if no := s.enter(); no != nil {
			s.refuse(no)
			welcome = false
		}
	}
	if welcome {
		s.server.stats.joined.Add(1)
	}
	s.release()
	s.parting(s.read())
}

// read takes message after message, and while the socket is closing throws them
// away: were they left unread, the kernel would reset the connection and the
// peer never see the close frame. What one peer sends must not end the others,
// so a panic ends this socket alone.
func (s *socket) read() (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.server.log.Error("reading a socket panicked", "panic", p, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	for draining := false; ; {
		kind, r, err := s.ws.NextReader()
		if err != nil {
			return err
		}
		if s.isClosing() {
			if !draining {
				draining, s.wire.budget = true, drainBytes
			}
			continue
		}
		no, err := s.message(kind, r)
		if err != nil {
			return err
		}
		if no != nil {
			s.refuse(no)
		}
		s.signed()
	}
}

// message reads one and sends it to the others in the room.
func (s *socket) message(kind int, r io.Reader) (*refusal, error) {
	if kind != websocket.TextMessage {
		return refuseBinary, nil
	}
	if !s.limiter.Allow() {
		return refuseRate, nil
	}
	buf := s.server.scratch.Get().(*bytes.Buffer)
	defer s.server.putScratch(buf)
	if _, err := buf.ReadFrom(r); err != nil {
		return nil, err
	}
	text := buf.Bytes()
	if !utf8.Valid(text) {
		// A browser ends its connection over such a text (RFC 6455 8.1): passing
		// it on would let one peer disconnect all others.
		return refuseNotUTF8, nil
	}
	s.server.stats.received(len(text))
	w := s.gather()
	if s.member != nil {
		s.member.receive(s, text, w)
	} else {
		s.seed.broadcast(s, newFrame(websocket.TextMessage, text), w)
	}
	return nil, nil
}

// gather is called before a message is passed on, and says when that leaves: with
// those that have come together with it, where the reader knows when it would wait.
func (s *socket) gather() when {
	if s.bold == nil || s.courier == nil {
		return atOnce
	}
	if s.taken == chunkFrames {
		s.deliver()
	}
	if s.taken == 0 {
		s.ahead = 0
	}
	s.taken++
	return soon
}

// deliver makes the reader the courier: before it waits, and when it has read as much
// as fits into one chunk.
func (s *socket) deliver() {
	if s.taken > 0 {
		s.taken = 0
		s.courier.turn(s.server, readerShare)
	}
}

func (s *socket) pinged(data string) error {
	if s.signOfLife() {
		s.sendPong(newFrame(websocket.PongMessage, []byte(data)))
	}
	return nil
}

func (s *socket) ponged(string) error {
	s.signOfLife()
	return nil
}

// signOfLife counts a control frame like a message: nobody needs many.
func (s *socket) signOfLife() bool {
	if s.isClosing() {
		return false
	}
	if !s.limiter.Allow() {
		s.refuse(refuseRate)
		return false
	}
	s.signed()
	return true
}

// signed is what a sign of life brings.
func (s *socket) signed() {
	s.refill()
	s.alive()
	if s.member != nil {
		s.member.slim(s)
	}
}

// refuse ends the socket for what its peer has sent. Nobody comes back from that.
// The room hears of it first: a message that found the socket closed meanwhile
// would make its member one that has lost its connection.
func (s *socket) refuse(no *refusal) {
	s.server.count(no)
	s.forGood = true
	s.depart()
	s.shut(s.lastWords(no), s.server.tuning.linger)
}

// depart tells the room, if the socket is that of a member.
func (s *socket) depart() {
	if s.member != nil {
		s.member.depart(s, s.forGood)
	}
}

// parting says goodbye in the way that the end of reading asks for.
func (s *socket) parting(err error) {
	s.deliver()
	var closed *websocket.CloseError
	var timeout net.Error
	switch {
	case s.isClosing():
	case errors.Is(err, websocket.ErrReadLimit), errors.Is(err, errPadding):
		s.refuseFrame(refuseTooBig)
	case s.wire.broken:
		s.refuseFrame(refuseBadFrame)
	case errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure:
		if s.forGood = farewell(closed.Code); s.forGood {
			s.depart() // first, as in refuse
		}
		s.shut(closeFrame(closed.Code, ""), s.server.tuning.linger) // RFC 6455 5.5.1
	case errors.As(err, &timeout) && timeout.Timeout():
		s.server.count(refuseSilent)
	}
}

// farewell says whether a peer that closes with this code leaves for good: it is
// done, its page is left, or it gives no code. With any other it may come back.
func farewell(code int) bool {
	return code == websocket.CloseNormalClosure || code == websocket.CloseGoingAway || code == websocket.CloseNoStatusReceived
}

// refuseFrame ends the socket for a frame that can't be read. What follows it is
// thrown away for a while, for the reason that read gives.
func (s *socket) refuseFrame(no *refusal) {
	s.refuse(no)
	_, _ = io.CopyN(io.Discard, s.wire.Conn, drainBytes)
}

// end lets go of everything, and nobody writes any more when it returns. The others
// in the room are rid of the socket first.
func (s *socket) end() {
	s.depart()
	s.server.hall.leave(s)
	if s.isClosing() {
		s.writer.Wait() // for the close frame; shut has set a deadline
		s.wire.Conn.Close()
	} else {
		s.cut()
		s.writer.Wait()
	}
	s.disarmPing()
	s.server.gate.leave(s.pass)
}

// forget ends a socket that was never upgraded.
func (s *socket) forget() {
	s.shut(nil, 0)
	s.server.hall.leave(s)
	s.server.gate.leave(s.pass)
}

// armPing makes the next ping due. The timer's call is waited for like the
// socket's goroutines. queue.mu is held.
func (s *socket) armPing() {
	s.server.wg.Add(1)
	if s.pinger != nil {
		s.pinger.Reset(s.server.tuning.ping)
		return
	}
	s.pinger = time.AfterFunc(s.server.tuning.ping, func() {
		defer s.server.wg.Done()
		s.sendPing()
	})
}

func (s *socket) disarmPing() {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	if s.pinger != nil && s.pinger.Stop() {
		s.server.wg.Done()
	}
}

func newScratch() any { return new(bytes.Buffer) }

// putScratch keeps a buffer for the next message, unless a rare large one has
// made it big.
func (s *Server) putScratch(buf *bytes.Buffer) {
	if buf.Cap() <= 256<<10 {
		buf.Reset()
		s.scratch.Put(buf)
	}
}

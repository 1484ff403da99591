// Package signaling carries the messages with which browsers find each other.
//
// A WebSocket on /ws/ROOM is a peer of a room: it is greeted with its id and who
// is there, hears who comes and goes, and what it sends goes to one peer or to
// all others, with who sent it and a number. A peer whose connection is lost can
// come back for a while, and then gets what it has missed.
//
// Beside it is the seed's relay: a WebSocket on / gets, byte for byte, every text
// message that any other socket on / sends, and so do the sockets of one
// /seed/NAME among themselves. There is no greeting, nothing is added and
// nothing comes back to its sender. docs/PROTOCOL.md has both in full.
//
// All of a room see its messages in one order.
//
// A socket has one goroutine that reads. What is sent to it waits in a bounded
// queue, which has one writer while there is something to write: the courier of
// its room, which waits for nobody, or a goroutine of its own where the kernel does
// not take everything at once. So an idle socket costs one small stack. A message
// becomes a frame once, and all receivers share it.
//
// What a peer may do is bounded, and what happens at each bound is decided:
//
//	origin not in the list                    403, no upgrade
//	/ while seed_room is off, a bad NAME      404, no upgrade
//	too many sockets, in all or of an address upgrade, then close 4429
//	too many of those at once                 503, no upgrade
//	no invite, or one that is no good         close 4401
//	a room that is full                       close 4429
//	nothing to come back to                   close 4404
//	come back over another connection         close 4409
//	messages, pings and pongs over the rate   close 4429
//	a message over max_message                close 1009
//	a binary message                          close 1003
//	a text that is not UTF-8                  close 1007
//	a broken frame, or a compressed one       close 1002
//	a full queue                              close 3008
//	silence for a minute, though pinged       closed
//	shutting down                             close 1001
//
// In a room an error message comes before the close frame, and a message that is
// no good is answered with one alone. A frame is never dropped in silence: who
// can't be sent one is closed.
package signaling

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"icebox/config"
)

// Server relays the messages of all rooms. Its methods may be called by any
// goroutine.
type Server struct {
	log      *slog.Logger
	opt      Options
	tuning   tuning
	settings atomic.Pointer[settings] // replaced under hall.mu
	gate     *gate
	hall     *hall
	roster   roster
	upgrader *websocket.Upgrader
	scratch  sync.Pool     // of *bytes.Buffer, for messages while they are read
	chunks   sync.Pool     // of *[]byte, for frames that are written together
	queued   atomic.Int64  // bytes in the queues of all sockets
	kept     atomic.Int64  // bytes that are kept for all members, for their resume
	pushes   atomic.Uint64 // calls of PushICE
	stats    stats
	full     rate.Sometimes // tells the owner of full caps
	wg       sync.WaitGroup // a socket with all that it starts, from before its upgrade; couriers; timers
}

// Options are what a Server needs of the rest of the box. They may be called by
// any goroutine, and never while a lock of this package is held.
type Options struct {
	// Log gets no client address at info and above.
	Log *slog.Logger
	// ICE makes the iceServers of the peer id, whose request named host in its
	// Host header: a JSON array, and how long its credentials are good for, 0 where
	// there are none. Without relay the peer gets no TURN. Nil: no servers.
	ICE func(host, id string, relay bool) (servers json.RawMessage, ttl time.Duration)
	// Left is told the id of a peer that has left for good. Nil: nobody is.
	Left func(id string)
}

// New makes a Server that nothing is connected to yet. It starts nothing: a
// Server that is not used any more needs no Close.
func New(cfg *config.Config, opt Options) *Server {
	return newServer(cfg, opt, defaultTuning())
}

func newServer(cfg *config.Config, opt Options, t tuning) *Server {
	s := &Server{log: opt.Log, opt: opt, tuning: t, gate: newGate(t.refusing), hall: newHall()}
	s.roster.ids = make(map[string]bool)
	s.settings.Store(newSettings(cfg))
	s.upgrader = s.newUpgrader()
	s.stats.init()
	s.full.Interval = time.Minute
	s.scratch.New = newScratch
	s.chunks.New = newChunk
	return s
}

// ServeSeed upgrades r and makes the socket a member of a room of the seed's
// relay: of / where room is empty, else of /seed/room. It returns as soon as
// that is done; the socket lives on until its peer, the network or Close ends
// it. Refusals are listed at the package.
func (s *Server) ServeSeed(w http.ResponseWriter, r *http.Request, room string) {
	s.serve(w, r, &door{seed: true, room: room})
}

// ServeRoom upgrades r and makes the socket that of a peer of the room /ws/room:
// a new one, who is let in by the query's invite, or with resume and seq one of
// before. It returns like ServeSeed.
func (s *Server) ServeRoom(w http.ResponseWriter, r *http.Request, room string) {
	query := r.URL.Query()
	last, err := strconv.ParseUint(query.Get("seq"), 10, 64)
	if err != nil {
		last = 0 // whoever does not know has nothing
	}
	s.serve(w, r, &door{
		room: room, host: r.Host,
		invite: query.Get("invite"), resume: query.Get("resume"), last: last,
	})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, d *door) {
	set := s.settings.Load()
	if no := d.screen(r, set); no != nil {
		s.refuseHTTP(w, no)
		return
	}
	if !s.hall.open(&s.wg) {
		s.refuseHTTP(w, refuseClosing)
		return
	}
	pass, no := s.gate.enter(addressOf(r), set, s.hall.member(d) != nil)
	if no == refuseFlood {
		s.wg.Done()
		s.refuseHTTP(w, no)
		return
	}
	sock := newSocket(s, set, pass, d)
	s.hall.know(sock)
	switch {
	case no != nil:
	case d.seed:
		no = s.hall.join(sock, d.room, &s.settings)
	default:
		no = d.admit(set)
	}
	if no != nil {
		s.count(no)
		sock.shut(sock.lastWords(no), s.tuning.linger)
	}
	if err := sock.upgrade(w, r); err != nil {
		s.log.Debug("upgrade failed", "error", err)
		sock.forget()
		s.wg.Done()
		return
	}
	go sock.run(no == nil)
}

// Update puts the limits and origins of cfg in force. A rate and a message size
// hold from a socket's next frame on; origins and caps for who comes next: who
// is in stays, except on / when seed_room is now off, where all are closed with
// 1001.
func (s *Server) Update(cfg *config.Config) {
	for _, sock := range s.hall.update(&s.settings, newSettings(cfg)) {
		s.count(refuseSeedOff)
		sock.shut(sock.lastWords(refuseSeedOff), s.tuning.linger)
	}
}

// Close sends 1001 to every socket, refuses new ones with 503, and waits until
// all are gone, a few seconds at the most where a peer does not answer. When ctx
// ends first it cuts the connections, waits for the goroutines, which is then a
// matter of milliseconds, and returns the error of ctx.
func (s *Server) Close(ctx context.Context) error {
	for _, sock := range s.hall.close() {
		sock.shut(sock.lastWords(refuseClosing), s.tuning.linger)
	}
	gone := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
	}
	for _, sock := range s.hall.all() {
		sock.cut()
	}
	<-gone
	return ctx.Err()
}

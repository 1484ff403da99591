// Package turnserver is the STUN and TURN server: RFC 8489 and RFC 8656 over
// UDP, TCP and TLS.
//
// A packet's way: a listener (udp.go or batch_linux.go, stream.go) reads it and hands
// it to the guard (guard.go). ChannelData and Send indications of a session are asked
// whether they may pass (datapath.go) and leave from the session's relay socket
// (relay.go). A request passes the rules (rules.go), one by one; a refused one is
// answered by the guard, and a sound one is put to pion/turn (engine.go), whose
// word decides, before the session (session.go, sessions.go) changes and the
// guard answers. What a peer sends comes in at the relay socket and goes, where
// the session has a permission for it, back to the client. No packet of a client
// or a peer ever enters pion.
package turnserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"icebox/config"
)

// Options are what a Server gets from outside.
type Options struct {
	// Log gets no client address at info and above. Nil: nothing is logged.
	Log *slog.Logger
	// Public is the address that the internet sees, which clients are told as
	// that of their relays; a zero one says that there is none of that family.
	// It is called once a second and at each allocation. Nil: relays have the
	// address that the client asked.
	Public func() (v4, v6 netip.Addr)
	// TLS is what tls listeners show. Nil: there can be none.
	TLS *tls.Config
	// Gone says that the credentials of the id of MintPeer are no good any more, such as
	// those of a peer that has left for good. It is called at each request with such
	// credentials, and has to be quick. Nil: nobody ever leaves.
	Gone func(id string) bool
}

// Server is a running STUN and TURN server.
type Server struct {
	log      *slog.Logger
	clock    *clock
	guard    *guard
	sessions *sessions
	streams  *streams
	settings atomic.Pointer[settings]
	own      atomic.Pointer[ownAddresses]

	mu        sync.Mutex // one Update at a time
	path      path
	chosen    PathInfo
	tcp       []streamListener
	tls       *tls.Config
	addrs     []net.Addr
	gone      func(id string) bool
	startedAs *config.Config // whose listeners and ports are open
}

// ownInterval is how often the addresses of the host are read again.
const ownInterval = 3 * time.Second

// New opens all listeners of cfg, or none of them and says which failed. Nothing
// is answered until Run.
func New(cfg *config.Config, opt Options) (*Server, error) {
	log := opt.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	public := opt.Public
	if public == nil {
		public = func() (v4, v6 netip.Addr) { return }
	}
	gone := opt.Gone
	if gone == nil {
		gone = func(string) bool { return false }
	}
	s := &Server{log: log, gone: gone, clock: &clock{started: time.Now()}, startedAs: cfg, tls: opt.TLS}
	own, err := readOwnAddresses()
	if err != nil {
		return nil, fmt.Errorf("reading the addresses of this host: %w", err)
	}
	s.own.Store(&own)
	s.settings.Store(newSettings(cfg, own, s.gone))
	if err := CheckRelayAddress(cfg.TURN.Relay); err != nil {
		return nil, err
	}
	if s.path, s.chosen, err = newPath(cfg.TURN.Relay, log); err != nil {
		return nil, err
	}
	local := func(addr netip.Addr) bool { return s.own.Load().has(addr) }
	relays := newRelaySet(s.path, cfg.TURN.Relay.Address, local, cfg.TURN.Relay.Ports.Min, cfg.TURN.Relay.Ports.Max)
	if s.sessions, err = newSessions(log, s.clock, &s.settings, relays, public); err != nil {
		return nil, errors.Join(err, s.path.close())
	}
	s.guard = newGuard(s.sessions)
	s.streams = newStreams(s.guard, log)
	if err := s.listen(cfg.TURN.Listen); err != nil {
		s.closeListeners()
		return nil, errors.Join(err, s.sessions.engine.close(), s.path.close())
	}
	s.chosen.log(log)
	return s, nil
}

func (s *Server) listen(listeners []config.Listener) error {
	for i, l := range listeners {
		var err error
		switch l.Network {
		case "udp":
			err = s.listenUDP(l.Address)
		case "tcp":
			err = s.listenTCP(l.Address, overTCP)
		case "tls":
			err = s.listenTCP(l.Address, overTLS)
		default:
			err = fmt.Errorf("network %q is not one that TURN is served on", l.Network)
		}
		if err != nil {
			return fmt.Errorf("turn.listen[%d]: %w", i, err)
		}
	}
	return nil
}

func (s *Server) listenUDP(address string) error {
	addr, err := s.path.listen(address)
	if err != nil {
		return err
	}
	s.addrs = append(s.addrs, addr)
	return nil
}

func (s *Server) listenTCP(address string, over transport) error {
	if over == overTLS && s.tls == nil {
		return errors.New("TURN over TLS needs a certificate, and tls.source is off")
	}
	l, err := listenTCP(address)
	if err != nil {
		return err
	}
	s.tcp = append(s.tcp, streamListener{Listener: l, over: over})
	s.addrs = append(s.addrs, l.Addr())
	return nil
}

func (s *Server) closeListeners() {
	s.path.stop()
	for _, l := range s.tcp {
		l.Close()
	}
}

// Run serves until ctx ends. When it returns, every session has ended, every
// socket is closed and every goroutine has left. It can be called once.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	s.sessions.sweepOnce(false)
	running.Go(func() { s.sessions.sweep(ctx) })
	running.Go(func() { pollOwnAddresses(ctx, ownInterval, s.log, readOwnAddresses, s.setOwn) })
	s.path.start(s.guard)
	for _, l := range s.tcp {
		running.Go(func() { s.streams.serve(l, s.tls) })
	}
	<-ctx.Done()
	s.closeListeners()
	s.streams.close()
	running.Wait()
	s.sessions.endIf(func(*session) bool { return true })
	s.sessions.relays.opened.Wait()
	if err := errors.Join(s.path.close(), s.sessions.engine.close()); err != nil {
		return fmt.Errorf("stopping the data path and the TURN engine: %w", err)
	}
	return nil
}

// Drain lets no new session begin, answering 508, and returns when the last has
// ended or ctx ends.
func (s *Server) Drain(ctx context.Context) error {
	s.sessions.draining.Store(true)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for len(s.sessions.table.all()) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// ServeTLS serves a TLS connection that somebody else has accepted and opened,
// and owns it from then on. It returns at once.
func (s *Server) ServeTLS(conn net.Conn) { s.streams.accept(conn, overTLS) }

// Addrs are the addresses of the listeners, in the order of turn.listen.
func (s *Server) Addrs() []net.Addr { return slices.Clone(s.addrs) }

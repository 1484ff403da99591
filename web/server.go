// Package web serves what a browser sees of the box: the pages of the calls, the
// HTTP API, the upgrades to signaling, and, on a listener of their own, metrics
// and health.
//
// The signaling listener speaks HTTP/1.1 over TLS, and hands TURN over TLS on:
// every connection is counted, by address and in all, before a byte of it is
// read, has ten seconds for its TLS handshake, and gets a redirect where it began
// in plain http. What the pages are made of is embedded and never changes while
// the process runs; what the configuration says can change at any time and is
// swapped in one step.
package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"icebox/config"
)

// How long a client may take, and how much it may say. A page of ours is a few
// kilobytes each way.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = 20 * time.Second
	answerTimeout  = 60 * time.Second
	idleTimeout    = 30 * time.Second
	maxHeaderBytes = 16 << 10
	shutdownGrace  = 5 * time.Second
	adminMax       = 64 // connections of the admin listener
)

// Options are what the server needs of the rest of the box.
type Options struct {
	Log *slog.Logger
	// Signaling takes over a request that wants to be a WebSocket: of the seed's
	// relay, where room "" is the one of /, or of a room of /ws.
	Signaling interface {
		ServeSeed(w http.ResponseWriter, r *http.Request, room string)
		ServeRoom(w http.ResponseWriter, r *http.Request, room string)
		// Invite makes a token that lets into a room of /ws for ttl.
		Invite(room string, ttl time.Duration) string
	}
	// Users are the TURN users, and who makes their time-limited credentials.
	Users interface {
		Authenticate(user, pass string) bool
		Mint(name string, ttl time.Duration) (username, password string, ok bool)
		MintPeer(id string, ttl time.Duration) (username, password string)
	}
	// TLS is where certificates come from. Nil, or not Enabled: plain http.
	TLS interface {
		Enabled() bool
		Trusted() bool
		// TLSConfig shows the certificate, and offers these protocols in ALPN.
		TLSConfig(protocols ...string) *tls.Config
	}
	// Relay serves TURN over TLS on the signaling port: connections that begin
	// with STUN after the handshake are its own from then on. Nil: nobody does.
	Relay interface{ ServeTLS(net.Conn) }
	// Metrics are shown on the admin listener. Nil: /metrics is not there.
	Metrics prometheus.Gatherer
	// TURN is where TURN really listens, in the order of turn.listen. It tells
	// the port of a listener on port 0. Nil: as configured.
	TURN []net.Addr
}

// Server is the HTTPS listener and the admin listener.
type Server struct {
	log      *slog.Logger
	opt      Options
	cfg      atomic.Pointer[config.Config] // in force
	assets   *assets
	attempts *throttle
	guests   *guests
	gate     *gate
	listener *listener
	admin    *listener // nil without admin.listen
}

// New opens signaling.listen and admin.listen. Nothing is accepted before Run;
// to close a Server that is not to run, call Run with a context that has ended.
func New(cfg *config.Config, opt Options) (*Server, error) {
	files, err := loadAssets()
	if err != nil {
		return nil, err
	}
	s := &Server{
		log:      opt.Log,
		opt:      opt,
		assets:   files,
		attempts: newThrottle(),
		guests:   newGuests(),
		gate:     newGate(caps(cfg)),
	}
	s.cfg.Store(cfg)
	s.limit(cfg)
	if s.listener, err = listen(cfg.Signaling.Listen, s.gate, s.tlsConfig(), s.relay(), s.log); err != nil {
		return nil, fmt.Errorf("signaling.listen: %w", err)
	}
	if cfg.Admin.Listen == "" {
		return s, nil
	}
	if s.admin, err = listen(cfg.Admin.Listen, newGate(adminMax, adminMax), nil, nil, s.log); err != nil {
		s.listener.Close()
		return nil, fmt.Errorf("admin.listen: %w", err)
	}
	return s, nil
}

// tlsConfig is nil for plain http.
func (s *Server) tlsConfig() *tls.Config {
	if !s.overTLS() {
		return nil
	}
	return s.opt.TLS.TLSConfig(s.protocols()...)
}

// protocols are those of ALPN on the signaling port (RFC 7301, RFC 7443). h2 is
// never one: a WebSocket is an HTTP/1.1 upgrade here.
func (s *Server) protocols() []string {
	if s.opt.Relay == nil {
		return []string{"http/1.1"}
	}
	return []string{"http/1.1", "stun.turn", "stun.nat-discovery"}
}

// relay is who serves STUN inside of TLS, or nil.
func (s *Server) relay() func(net.Conn) {
	if s.opt.Relay == nil {
		return nil
	}
	return s.opt.Relay.ServeTLS
}

func (s *Server) overTLS() bool { return s.opt.TLS != nil && s.opt.TLS.Enabled() }

// Addr is where the signaling listener listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// AdminAddr is where the admin listener listens, nil where there is none.
func (s *Server) AdminAddr() net.Addr {
	if s.admin == nil {
		return nil
	}
	return s.admin.Addr()
}

// Run serves until ctx ends, gives requests in progress five seconds to finish,
// and returns when everything of it is closed and has ended. Connections that
// became WebSockets are the signaling server's, which closes them itself. It
// returns an error only when a listener fails by itself.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var open sync.WaitGroup // connections of both
	servers := map[*listener]*http.Server{s.listener: s.httpServer(s.serve, s.listener.gate, &open)}
	if s.admin != nil {
		servers[s.admin] = s.httpServer(s.serveAdmin, s.admin.gate, &open)
	}
	var wg sync.WaitGroup
	failed := make(chan error, len(servers))
	for ln, srv := range servers {
		wg.Go(ln.run)
		wg.Go(func() {
			defer cancel()
			if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				failed <- fmt.Errorf("serving %s: %w", ln.Addr(), err)
			}
		})
	}
	<-ctx.Done()
	for ln, srv := range servers {
		wg.Go(func() { shutdown(ln, srv) })
	}
	wg.Wait()
	open.Wait()
	close(failed)
	return <-failed
}

// shutdown closes ln first, which refuses connections whose handshake is under
// way, then waits for requests.
func shutdown(ln *listener, srv *http.Server) {
	ln.Close()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if srv.Shutdown(ctx) != nil {
		srv.Close()
	}
}

// httpServer has the bounds that hold for every connection. open counts those
// that are served by it, until they are closed or WebSockets.
func (s *Server) httpServer(handle http.HandlerFunc, g *gate, open *sync.WaitGroup) *http.Server {
	srv := &http.Server{
		Handler:           handle,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		Protocols:         new(http.Protocols),
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	srv.Protocols.SetHTTP1(true)
	srv.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, sealedKey{}, sealed(c))
	}
	srv.ConnState = func(c net.Conn, state http.ConnState) {
		g.follow(c, state)
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed, http.StateHijacked:
			open.Done()
		}
	}
	return srv
}

// sealedKey finds in a request's context whether it came over TLS. The field
// TLS of a request does not tell: net/http sees a connection of ours.
type sealedKey struct{}

func overTLS(r *http.Request) bool { return r.Context().Value(sealedKey{}) == true }

// Update puts cfg in force. What can't change while the box runs is named in
// the log and stays as it was; the rest applies to the next request.
func (s *Server) Update(cfg *config.Config) {
	old, next := s.cfg.Load(), *cfg
	s.keep("signaling.listen", &next.Signaling.Listen, old.Signaling.Listen)
	s.keep("admin.listen", &next.Admin.Listen, old.Admin.Listen)
	if (next.TLS.Source == "off") != (old.TLS.Source == "off") {
		s.keep("tls.source", &next.TLS.Source, old.TLS.Source)
	}
	next.TURN.Listen = old.TURN.Listen // turnserver says so where it differs
	s.limit(&next)
	s.cfg.Store(&next)
}

// Config is the configuration in force: as it was given last, but for the keys that
// can't change while icebox runs. It must not be changed.
func (s *Server) Config() *config.Config { return s.cfg.Load() }

// limit puts the caps of cfg in force.
func (s *Server) limit(cfg *config.Config) {
	most, perAddress := caps(cfg)
	s.gate.limit(most, perAddress, cfg.Signaling.TrustedProxies)
}

// keep restores *value to old and says so.
func (s *Server) keep(key string, value *string, old string) {
	if *value == old {
		return
	}
	s.log.Warn("this key can't change while icebox runs: restart to apply it",
		"key", key, "in_force", old, "configured", *value)
	*value = old
}

// Package certs says which certificate the box shows on every TLS listener it
// has: one from files, which it reloads when they change, or one that it signs
// itself.
//
// Whatever happens to the files, the state directory or the clock while the box
// runs, a certificate stays in force, and what is wrong is logged once.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"icebox/config"
)

// The values of tls.source that are served.
const (
	sourceFiles      = "files"
	sourceSelfSigned = "self-signed"
	sourceOff        = "off"
)

var errOff = errors.New("tls.source is off: there is no certificate")

// Source holds the certificate in force. Its methods may be called from any
// goroutine.
type Source struct {
	log     *slog.Logger
	enabled bool
	box     func() (box, error) // what this machine is called
	roots   *x509.CertPool      // nil: those of the system
	poke    chan struct{}       // Update tells Run to follow other files

	current  atomic.Pointer[inForce] // nil only with tls.source off; written under mu
	failures atomic.Uint64

	mu     sync.Mutex // guards what is below
	wanted settings   // what the configuration says
	used   settings   // where the certificate in force came from
	failed string     // the last failure, so as not to log it again
}

// settings are the keys of the configuration that a certificate depends on.
type settings struct {
	source     string
	cert, key  string
	stateDir   string
	host       string // ASCII; empty: no domain
	ipv4, ipv6 netip.Addr
}

// inForce is the certificate that is shown, and what the system thinks of it.
type inForce struct {
	*pair
	distrust error // nil: trusted
}

// New loads or makes the certificate that cfg asks for. It fails where there is
// none to show: a file can't be read or parsed, or the key is not the
// certificate's. An expired one is better than none: that is logged, and shown.
func New(cfg *config.Config, log *slog.Logger) (*Source, error) {
	return newSource(cfg, log, readBox, nil)
}

func newSource(cfg *config.Config, log *slog.Logger, box func() (box, error), roots *x509.CertPool) (*Source, error) {
	s := &Source{
		log:     log,
		enabled: cfg.TLS.Source != sourceOff,
		box:     box,
		roots:   roots,
		poke:    make(chan struct{}, 1),
		wanted:  settingsOf(cfg),
	}
	if !s.enabled {
		return s, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refresh(); err != nil {
		return nil, err
	}
	return s, nil
}

// settingsOf leaves out what the source does not depend on, so that a change of
// it is none here.
func settingsOf(cfg *config.Config) settings {
	set := settings{source: cfg.TLS.Source, host: cfg.Host()}
	if set.source == sourceFiles {
		set.cert, set.key = cfg.TLS.Cert, cfg.TLS.Key
		return set
	}
	set.stateDir = cfg.StateDir
	set.ipv4, set.ipv6 = cfg.Public.IPv4, cfg.Public.IPv6
	return set
}

// Enabled reports whether there is a certificate: false with tls.source off.
// It never changes.
func (s *Source) Enabled() bool { return s.enabled }

// certificate is the GetCertificate of a tls.Config: the certificate in force,
// whatever name the client asks for, or errOff.
func (s *Source) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c := s.current.Load()
	if c == nil {
		return nil, errOff
	}
	return c.cert, nil
}

// TLSConfig returns what a listener needs to show the certificate in force: TLS
// 1.2 at least (RFC 8996), and these protocols in ALPN. With tls.source off there is
// none, and every handshake fails.
func (s *Source) TLSConfig(protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: s.certificate,
		NextProtos:     protocols,
	}
}

// Trusted reports whether a client that knows nothing but its system's roots
// accepts the certificate: for the domain, or without one for the names in it.
func (s *Source) Trusted() bool {
	c := s.current.Load()
	return c != nil && c.distrust == nil && time.Now().Before(c.cert.Leaf.NotAfter)
}

// NotAfter is when the certificate in force ends; zero with tls.source off.
func (s *Source) NotAfter() time.Time {
	c := s.current.Load()
	if c == nil {
		return time.Time{}
	}
	return c.cert.Leaf.NotAfter
}

// CheckTime says why the certificate in force is not good now: it has ended, or
// begins later. Nil with tls.source off.
func (s *Source) CheckTime() error {
	c := s.current.Load()
	if c == nil {
		return nil
	}
	return c.checkTime(time.Now())
}

// Update goes over to what cfg asks for. Where that is no good, the certificate
// in force stays, the error is logged, and what cfg asks for is taken as soon as
// it is good. Turning TLS on or off waits for the next start.
func (s *Source) Update(cfg *config.Config) {
	if on := cfg.TLS.Source != sourceOff; on != s.enabled {
		s.log.Warn("tls.source: turning TLS on or off takes a restart", "source", cfg.TLS.Source)
		return
	}
	if !s.enabled {
		return
	}
	s.mu.Lock()
	s.wanted = settingsOf(cfg)
	s.renew()
	s.mu.Unlock()
	select {
	case s.poke <- struct{}{}:
	default: // Run has yet to see the last one
	}
}

// renew is refresh where there is a certificate in force already. When it fails
// that one is kept up to date, where it comes from another source; s.mu is held.
func (s *Source) renew() {
	err := s.refresh()
	if err == nil {
		s.failed = ""
		return
	}
	if s.failed != err.Error() {
		s.failed = err.Error()
		s.failures.Add(1)
		s.log.Error("certificate not replaced, the last one stays in force", "err", err)
	}
	keep := s.current.Load().pair
	if s.used != s.wanted {
		if p, err := s.load(s.used); err == nil {
			keep = p
		}
	}
	s.use(keep)
}

// refresh puts what is wanted in force, as the files and the clock are now;
// s.mu is held.
func (s *Source) refresh() error {
	p, err := s.load(s.wanted)
	if err != nil {
		return err
	}
	s.used = s.wanted
	s.use(p)
	return nil
}

// load returns the certificate of these settings: the one in force where
// nothing about it has changed. s.mu is held.
func (s *Source) load(set settings) (*pair, error) {
	var have *pair
	c := s.current.Load()
	if c != nil && set == s.used {
		have = c.pair
	}
	switch set.source {
	case sourceFiles:
		p, err := loadFiles(set.cert, set.key, have)
		if err == nil && p != have && c != nil {
			err = p.checkTime(time.Now())
		}
		return p, err
	case sourceSelfSigned:
		return s.selfSigned(set, have)
	default:
		return nil, fmt.Errorf("tls.source: %q is not known", set.source)
	}
}

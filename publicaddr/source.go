// Package publicaddr says under which address the internet sees this box: the
// one that the configuration gives, or else the one of its own interface, which
// is a guess that holds where no router translates it.
package publicaddr

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"icebox/config"
)

// The values of public.source that are served.
const (
	sourceAuto      = "auto"
	sourceStatic    = "static"
	sourceInterface = "interface"
)

// Addresses are the public addresses, one a family; the zero Addr is none.
type Addresses struct {
	IPv4, IPv6 netip.Addr
	// Static: the configuration gives them. Otherwise they are an interface's
	// own, and where that is private, relayed calls stay on this LAN.
	Static bool
}

// Source knows the public addresses. Its methods may be called from any
// goroutine.
type Source struct {
	log     *slog.Logger
	look    func() Addresses // at the interfaces
	current atomic.Pointer[Addresses]
	poke    chan struct{} // Update tells Run of another interval
	changes chan struct{} // set tells who waits for Changes

	mu       sync.Mutex // guards what is below, and writing to current
	source   string     // static or interface
	interval time.Duration
}

// New finds the addresses that cfg asks for. It fails where public.source is
// not one of those that are there; that no address was found is no error.
func New(cfg *config.Config, log *slog.Logger) (*Source, error) {
	return newSource(cfg, log, lookAtSystem)
}

func newSource(cfg *config.Config, log *slog.Logger, look func() Addresses) (*Source, error) {
	s := &Source{log: log, look: look, poke: make(chan struct{}, 1), changes: make(chan struct{}, 1)}
	s.current.Store(new(Addresses))
	if err := s.apply(cfg); err != nil {
		return nil, err
	}
	select {
	case <-s.changes: // the first ones are no change
	default:
	}
	return s, nil
}

// Current returns the addresses as they were last found. It takes no lock.
func (s *Source) Current() Addresses { return *s.current.Load() }

// Changes gets a value when the addresses have changed, one for several changes
// that nobody has taken meanwhile. There is one channel: for one reader.
func (s *Source) Changes() <-chan struct{} { return s.changes }

// Update goes over to what cfg asks for.
func (s *Source) Update(cfg *config.Config) {
	if err := s.apply(cfg); err != nil {
		s.log.Error("public address: the last setting stays in force", "err", err)
		return
	}
	select {
	case s.poke <- struct{}{}:
	default: // Run has yet to see the last one
	}
}

func (s *Source) apply(cfg *config.Config) error {
	source, err := sourceOf(cfg)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.source, s.interval = source, cfg.Public.Interval
	if source == sourceStatic {
		s.set(Addresses{IPv4: cfg.Public.IPv4, IPv6: cfg.Public.IPv6, Static: true})
		return nil
	}
	s.set(s.look())
	return nil
}

// sourceOf resolves auto: static where an address is given, else interface.
func sourceOf(cfg *config.Config) (string, error) {
	switch cfg.Public.Source {
	case sourceStatic, sourceInterface:
		return cfg.Public.Source, nil
	case sourceAuto:
		if cfg.Public.IPv4.IsValid() || cfg.Public.IPv6.IsValid() {
			return sourceStatic, nil
		}
		return sourceInterface, nil
	default:
		return "", fmt.Errorf("public.source: %q is not available", cfg.Public.Source)
	}
}

// set puts next in force and logs what is new in it; s.mu is held.
func (s *Source) set(next Addresses) {
	last := s.current.Swap(&next)
	if *last == next {
		return
	}
	select {
	case s.changes <- struct{}{}:
	default: // one waits already
	}
	s.log.Info("public address", "source", s.source, "ipv4", text(next.IPv4), "ipv6", text(next.IPv6))
}

func text(a netip.Addr) string {
	if !a.IsValid() {
		return "none"
	}
	return a.String()
}

// Run looks at the interfaces again every public.interval, where the addresses
// come from there, until ctx ends. Then it returns nil.
func (s *Source) Run(ctx context.Context) error {
	timer := time.NewTimer(s.again())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.poke:
		case <-timer.C:
			s.refresh()
		}
		timer.Reset(s.again())
	}
}

// again is how long to wait before looking again.
func (s *Source) again() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.interval, time.Second)
}

func (s *Source) refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.source == sourceInterface {
		s.set(s.look())
	}
}

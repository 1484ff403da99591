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
	"icebox/internal/hostnet"
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
	// Static: the configuration says which IPv4 address there is, or that there is
	// none. Otherwise it is an interface's own, and where that is private, relayed
	// calls stay on this LAN.
	Static bool
}

// String is for people.
func (a Addresses) String() string {
	v4 := text(a.IPv4)
	if !a.Static && a.IPv4.IsValid() && !hostnet.OnInternet(a.IPv4) {
		v4 += ", which the internet does not see (public.ipv4)"
	}
	return "IPv4 " + v4 + "; IPv6 " + text(a.IPv6)
}

// Source knows the public addresses. Its methods may be called from any
// goroutine.
type Source struct {
	log     *slog.Logger
	look    func() Addresses      // at the interfaces
	here    func(netip.Addr) bool // says whether an interface has it
	bound   netip.Addr            // turn.relay.address, which stays: where relays are, whatever else this host has
	current atomic.Pointer[Addresses]
	poke    chan struct{} // Update tells Run of another interval
	changes chan struct{} // set tells who waits for Changes

	mu       sync.Mutex // guards what is below, and writing to current
	source   string     // static, interface, or both, for the log
	given    Addresses  // by the configuration
	look4    bool       // the IPv4 address is to be looked for
	look6    bool
	doubted  bool      // the last look has found less, which may be a moment's
	told     Addresses // that relays have had, at the last of changes
	interval time.Duration
}

// New finds the addresses that cfg asks for. It fails where public.source is
// not one of those that are there; that no address was found is no error.
func New(cfg *config.Config, log *slog.Logger) (*Source, error) {
	return newSource(cfg, log, lookAtSystem, onInterface)
}

func newSource(cfg *config.Config, log *slog.Logger, look func() Addresses, here func(netip.Addr) bool) (*Source, error) {
	s := &Source{log: log, look: look, here: here, bound: cfg.TURN.Relay.Address, poke: make(chan struct{}, 1), changes: make(chan struct{}, 1)}
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

// Changes gets a value when relays have another address from now on and those of
// before can't be reached any more, one for several changes that nobody has taken
// meanwhile. One of IPv6 that was looked for can be as long as an interface has it.
// There is one channel: for one reader.
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
	given := Addresses{IPv4: cfg.Public.IPv4, IPv6: cfg.Public.IPv6}
	source, look4, look6 := cfg.Public.Source, false, false
	switch source {
	case sourceStatic:
	case sourceInterface:
		given, look4, look6 = Addresses{}, true, true
	case sourceAuto:
		look4, look6 = !given.IPv4.IsValid(), !given.IPv6.IsValid()
		source = resolved(look4, look6)
	default:
		return fmt.Errorf("public.source: %q is not available", source)
	}
	given.Static = !look4
	switch {
	case look4 && s.bound.Is4() && s.bound.IsGlobalUnicast():
		given.IPv4, look4 = s.bound, false
	case look6 && s.bound.Is6() && s.bound.IsGlobalUnicast():
		given.IPv6, look6 = s.bound, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interval = cfg.Public.Interval
	if source == s.source && given == s.given {
		return nil // refresh looks, and doubts what is less
	}
	s.source, s.given, s.look4, s.look6, s.doubted = source, given, look4, look6, false
	s.set(s.find())
	return nil
}

// resolved is what auto comes to: what is not given is looked for.
func resolved(look4, look6 bool) string {
	switch {
	case look4 && look6:
		return sourceInterface
	case look4 || look6:
		return sourceStatic + ", " + sourceInterface
	}
	return sourceStatic
}

// find is what is given, and what is looked for; s.mu is held.
func (s *Source) find() Addresses {
	now := s.given
	if s.look4 || s.look6 {
		seen := s.look()
		if s.look4 {
			now.IPv4 = seen.IPv4
		}
		if s.look6 {
			now.IPv6 = seen.IPv6
		}
	}
	return now
}

// set puts next in force and logs what is new in it; s.mu is held.
func (s *Source) set(next Addresses) {
	last := s.current.Swap(&next)
	if *last == next {
		return
	}
	last6 := s.told.IPv6
	moved4, moved6 := moved(&s.told.IPv4, next.IPv4), moved(&s.told.IPv6, next.IPv6)
	if s.look6 && s.here(last6) { // a privacy address (RFC 8981) is another every day
		moved6 = false
	}
	if moved4 || moved6 {
		select {
		case s.changes <- struct{}{}:
		default: // one waits already
		}
	}
	s.log.Info("public address", "source", s.source, "ipv4", text(next.IPv4), "ipv6", text(next.IPv6))
}

// moved notes the address that relays of a family have now, and says whether it is in
// place of another. With none now, they keep it.
func moved(told *netip.Addr, now netip.Addr) (moved bool) {
	if now.IsValid() {
		moved, *told = now != *told, now
	}
	return moved
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

// refresh looks again. What is less than before may be so for a moment, as when a line
// is dialled anew: it holds when the next look finds it too.
func (s *Source) refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.look4 && !s.look6 {
		return
	}
	next, last := s.find(), s.Current()
	if less := isLess(next.IPv4, last.IPv4) || isLess(next.IPv6, last.IPv6); less && !s.doubted {
		s.doubted = true
		return
	}
	s.doubted = false
	s.set(next)
}

// isLess says whether an address is less than the one of before: none, or none of the
// internet any more.
func isLess(now, before netip.Addr) bool {
	return before.IsValid() && !now.IsValid() || hostnet.OnInternet(before) && !hostnet.OnInternet(now)
}

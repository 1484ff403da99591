package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	group "github.com/oklog/run"

	"icebox/certs"
	"icebox/config"
	"icebox/publicaddr"
	"icebox/signaling"
	"icebox/turnserver"
	"icebox/web"
)

// closeGrace is how long stopped signaling may take to tell its peers so.
const closeGrace = 5 * time.Second

// box is everything that serves, wired together.
type box struct {
	cfg    atomic.Pointer[config.Config] // in force
	log    *slog.Logger
	level  *slog.LevelVar
	format string // of log

	certs     *certs.Source
	public    *publicaddr.Source
	turn      *turnserver.Server
	signaling *signaling.Server
	web       *web.Server
}

// newBox opens all listeners. It leaves nothing open when it fails.
func newBox(cfg *config.Config, log *slog.Logger, level *slog.LevelVar) (*box, error) {
	b := &box{log: log, level: level, format: cfg.Log.Format}
	b.cfg.Store(cfg)
	var err error
	if b.certs, err = certs.New(cfg, log); err != nil {
		return nil, fmt.Errorf("getting a certificate: %w", err)
	}
	if b.public, err = publicaddr.New(cfg, log); err != nil {
		return nil, fmt.Errorf("finding the public address: %w", err)
	}
	if b.turn, err = turnserver.New(cfg, b.turnOptions()); err != nil {
		return nil, err
	}
	b.signaling = signaling.New(cfg, signaling.Options{Log: log, ICE: b.peerICE, Left: func(id string) { b.turn.EndPeer(id) }})
	metrics := newMetrics(b.certs.Collector(), b.turn.Collector(), b.signaling.Collector())
	b.web, err = web.New(cfg, web.Options{
		Log:       log,
		Signaling: b.signaling,
		Users:     b.turn,
		TLS:       b.certs,
		Metrics:   metrics,
		Relay:     b.turn,
		TURN:      b.turn.Addrs(),
	})
	if err != nil {
		return nil, errors.Join(err, closeUnused(b.turn.Run))
	}
	metrics.MustRegister(b.web.Collector())
	return b, nil
}

func (b *box) turnOptions() turnserver.Options {
	opt := turnserver.Options{Log: b.log, Public: b.publicAddresses, Gone: b.gone}
	if b.certs.Enabled() {
		opt.TLS = b.certs.TLSConfig("stun.turn", "stun.nat-discovery") // RFC 7443
	}
	return opt
}

// gone says whether credentials of MintPeer are no good any more: those of a peer of a
// room that has left, and those of guests where they get none now.
func (b *box) gone(id string) bool {
	if web.IsGuest(id) {
		return !b.cfg.Load().Signaling.GuestsRelay()
	}
	return b.signaling.Gone(id)
}

// publicAddresses is what turnserver asks: the address that the internet sees.
func (b *box) publicAddresses() (v4, v6 netip.Addr) {
	now := b.public.Current()
	return now.IPv4, now.IPv6
}

// closeUnused closes a part that is not going to serve: all of them close what
// they opened when their context ends.
func closeUnused(run func(context.Context) error) error {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	return run(ended)
}

// run serves until a signal comes or a part fails: the first that ends stops
// all, and all have ended when it returns.
func (b *box) run(signals stopSignals) error {
	b.log.Info("serving", b.listeners()...)
	var g group.Group
	add(&g, "signals", func(ctx context.Context) error {
		defer signals.release()
		return signals.wait(ctx, b.turn, b.drainLimit, b.log)
	})
	add(&g, "hangups", func(ctx context.Context) error { return signals.logHangups(ctx, b.log) })
	add(&g, "certificates", lasting(b.certs.Run))
	add(&g, "public address", lasting(b.public.Run))
	add(&g, "turn", lasting(b.turn.Run))
	add(&g, "signaling", b.runSignaling)
	add(&g, "new addresses", b.followAddress)
	add(&g, "clock", b.followClock)
	add(&g, "heap", b.tendHeap)
	add(&g, "web", lasting(b.web.Run))
	add(&g, "configuration", lasting(func(ctx context.Context) error {
		return b.cfg.Load().Watch(ctx, b.log, b.update)
	}))
	return g.Run()
}

// listeners names what is listened on, for the log.
func (b *box) listeners() []any {
	var turn []string
	for i, a := range b.turn.Addrs() {
		turn = append(turn, b.cfg.Load().TURN.Listen[i].Network+" "+a.String())
	}
	all := []any{"turn", turn, "signaling", b.web.Addr().String()}
	if admin := b.web.AdminAddr(); admin != nil {
		all = append(all, "admin", admin.String())
	}
	return all
}

// add makes an actor of a function that ends with its context.
func add(g *group.Group, name string, execute func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	g.Add(func() error {
		if err := execute(ctx); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}, func(error) { cancel() })
}

// errEnded is a part that returned although nobody told it to.
var errEnded = errors.New("ended by itself")

// lasting makes an error of an end that nobody asked for.
func lasting(execute func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		err := execute(ctx)
		if err == nil && ctx.Err() == nil {
			return errEnded
		}
		return err
	}
}

// runSignaling waits for the end, then takes leave of every peer.
func (b *box) runSignaling(ctx context.Context) error {
	<-ctx.Done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
	defer cancel()
	return b.signaling.Close(ctx)
}

// followAddress tells the peers of rooms when the public address has changed.
func (b *box) followAddress(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-b.public.Changes():
			b.signaling.PushICE(true)
		}
	}
}

func (b *box) drainLimit() time.Duration { return b.cfg.Load().TURN.Drain }

// update puts a new configuration in force. Each part names what it can't change
// while it runs.
func (b *box) update(cfg *config.Config) {
	if cfg.Log.Format != b.format {
		b.log.Warn("this key can't change while icebox runs: restart to apply it",
			"key", "log.format", "in_force", b.format, "configured", cfg.Log.Format)
	}
	old := b.cfg.Swap(cfg)
	b.level.Set(logLevel(cfg.Log))
	b.certs.Update(cfg)
	b.public.Update(cfg)
	b.signaling.Update(cfg) // before turn, which asks it whose credentials are good
	b.turn.Update(cfg)
	b.web.Update(cfg)
	if givesOtherICE(old, cfg) {
		b.signaling.PushICE(false)
	}
}

package main

import (
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"icebox/config"
	"icebox/internal/hostnet"
	"icebox/web"
)

// startInvite is how long the invite is good for that serve shows at its start.
const startInvite = 24 * time.Hour

func newServe(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "runs the box; this is what icebox does without a command",
		Long: "Runs the box until SIGINT or SIGTERM. SIGTERM waits for live sessions, turn.drain\n" +
			"at most; a second signal stops at once. A change of the configuration file is\n" +
			"applied while it runs.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.serve() },
	}
}

// serve runs the box until a signal stops it or a part of it fails.
func (a *app) serve() error {
	signals := catchSignals()
	defer signals.release()
	cfg, warnings, err := a.load()
	if err != nil {
		return err
	}
	log, level := newLogger(a.stderr, cfg.Log)
	announce(log, cfg, warnings)
	generated := generatedUsers(cfg)
	if err := cfg.Secrets(true); err != nil {
		return err
	}
	b, err := newBox(cfg, log, level)
	if err != nil {
		return explainListen(err)
	}
	terminal := isTerminal(a.stdout)
	s := b.summary(describeUsers(cfg, generated, terminal), terminal)
	s.print(a.stdout)
	if s.noIPv4 {
		log.Warn("no IPv4 address: browsers ask for IPv4 relays, so calls that need the relay fail; any address in public.ipv4 lets two who both use it meet")
	}
	return b.run(signals)
}

// announce logs which configuration is in force and what is doubtful about it.
func announce(log *slog.Logger, cfg *config.Config, warnings []config.Warning) {
	if cfg.Path == "" {
		log.Info("no config.yaml found: the built-in defaults are in force")
	} else {
		log.Info("configuration read", "file", cfg.Path)
	}
	for _, w := range warnings {
		log.Warn(w.String())
	}
}

// summary is what the person who started the box is told.
func (b *box) summary(users []string, terminal bool) summary {
	s := summary{
		cfg:      b.cfg.Load(),
		turn:     b.turn.Addrs(),
		page:     b.web.Addr(),
		lan:      lanAddresses(),
		users:    users,
		https:    b.certs.Enabled(),
		trusted:  b.certs.Trusted(),
		terminal: terminal,
		room:     web.NewRoom(),
	}
	s.invite = b.signaling.Invite(s.room, startInvite)
	now := b.public.Current()
	s.noRelay = !now.IPv4.IsValid() && !now.IPv6.IsValid()
	if !now.Static && now.IPv4.IsValid() && !hostnet.OnInternet(now.IPv4) {
		s.relayLocal = now.IPv4
	}
	s.noIPv4 = now.IPv6.IsValid() && !now.IPv4.IsValid() &&
		!slices.ContainsFunc(s.lan, func(a lanAddress) bool { return a.ip.Is4() })
	return s
}

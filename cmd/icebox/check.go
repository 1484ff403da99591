package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"icebox/config"
	"icebox/publicaddr"
	"icebox/turnserver"
)

func newCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "validates the configuration and prints what is in force, secrets hidden",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return a.check() },
	}
}

// check prints the configuration in force to stdout and every warning to
// stderr. The certificate is read too, as serve would, the relays' address is
// bound, the data path is tried out and the public address looked for. What serve
// would generate at its first start may still be missing.
func (a *app) check() error {
	log, _ := newLogger(a.stderr, config.Log{Level: "warn", Format: "text"})
	cfg, warnings, err := a.load()
	if err != nil {
		return alsoCertificate(err, log)
	}
	for _, w := range warnings {
		fmt.Fprintln(a.stderr, "warning:", w)
	}
	fault := cfg.Secrets(false)
	if errors.Is(fault, config.ErrNoState) {
		fault = nil
	}
	if err := errors.Join(fault, checkCertificate(cfg, log)); err != nil {
		return err
	}
	if cfg.Path == "" {
		fmt.Fprintln(a.stderr, "no config.yaml found: the built-in defaults are in force")
	}
	if err := turnserver.CheckRelayAddress(cfg.TURN.Relay); err != nil {
		fmt.Fprintln(a.stderr, "warning:", err) // serve may be meant for another machine
	}
	path, err := turnserver.ChoosePath(cfg.TURN.Relay)
	if err != nil {
		return err
	}
	public, err := publicaddr.New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	cfg.Describe(&out)
	fmt.Fprintf(&out, "\n# The data path here: %s\n# Relays are reached at: %s\n", path, public.Current())
	return a.print(out.Bytes())
}

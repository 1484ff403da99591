package main

import (
	"errors"
	"fmt"
	"log/slog"

	"icebox/certs"
	"icebox/config"
)

// certificateFiles reads the certificate that tls.cert and tls.key name; what is
// doubtful about it is logged. Nil with another tls.source: a certificate that
// the box makes itself is never looked at, since that could make it.
func certificateFiles(cfg *config.Config, log *slog.Logger) (*certs.Source, error) {
	if cfg.TLS.Source != "files" {
		return nil, nil
	}
	source, err := certs.New(cfg, log)
	if err != nil {
		return nil, fmt.Errorf("tls.cert and tls.key: %w", err)
	}
	return source, nil
}

// checkCertificate finds the faults of that certificate; one that serve would
// show although its time is over counts.
func checkCertificate(cfg *config.Config, log *slog.Logger) error {
	source, err := certificateFiles(cfg, log)
	if err != nil || source == nil {
		return err
	}
	if err := source.CheckTime(); err != nil {
		return fmt.Errorf("tls.cert: %w: renew it", err)
	}
	return nil
}

// alsoCertificate adds the faults of the certificate to those of a configuration,
// where that says which one it is.
func alsoCertificate(err error, log *slog.Logger) error {
	var faults *config.Errors
	if !errors.As(err, &faults) || faults.TLS == nil {
		return err
	}
	return errors.Join(err, checkCertificate(&config.Config{TLS: *faults.TLS}, log))
}

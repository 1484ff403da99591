package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// stopSignals receives what asks the process to stop. It is started before
// anything else, so that no signal finds a box half built.
type stopSignals struct {
	c      chan os.Signal
	hangup chan os.Signal // which asks for nothing
}

func catchSignals() stopSignals {
	s := stopSignals{c: make(chan os.Signal, 1), hangup: make(chan os.Signal, 1)}
	signal.Notify(s.c, os.Interrupt, syscall.SIGTERM)
	signal.Notify(s.hangup, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE) // who reads the log may end before the box
	return s
}

// logHangups says that SIGHUP has no effect, until ctx ends: there is nothing to
// read again, and a terminal that is closed is no reason to end calls.
func (s stopSignals) logHangups(ctx context.Context, log *slog.Logger) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.hangup:
			log.Info("SIGHUP changes nothing: the configuration and certificates are read whenever they change, and SIGTERM stops")
		}
	}
}

// release gives signals their own effect back: the next one ends the process,
// whatever it still waits for.
func (s stopSignals) release() { signal.Stop(s.c) }

// drainer is the part of the box that has sessions to wait for.
type drainer interface {
	// Drain refuses new sessions and returns when none is left or ctx ends.
	Drain(ctx context.Context) error
}

// wait returns when the process is to stop: at SIGINT, or once SIGTERM has come
// and nothing is left to drain, limit has passed or a second signal has come;
// also when ctx ends. limit is asked when SIGTERM comes.
func (s stopSignals) wait(ctx context.Context, d drainer, limit func() time.Duration, log *slog.Logger) error {
	var first os.Signal
	select {
	case <-ctx.Done():
		return nil
	case first = <-s.c:
	}
	if first != syscall.SIGTERM {
		log.Info("stopping", "signal", first.String())
		return nil
	}
	log.Info("draining: no new sessions; a second signal stops at once", "signal", first.String(), "at_most", limit().String())
	ctx, cancel := context.WithTimeout(ctx, limit())
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- d.Drain(ctx) }()
	select {
	case err := <-drained:
		log.Info("drained", "sessions_left", err != nil)
	case again := <-s.c:
		log.Info("stopping", "signal", again.String())
		cancel()
		<-drained
	}
	return nil
}

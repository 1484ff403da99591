package certs

import (
	"context"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long the files must have been still: a certificate and its
	// key are two files, replaced one after the other.
	settle = 500 * time.Millisecond
	// checkEvery is how often the clock, the interfaces and, in case no change
	// of them was reported, the files are looked at.
	checkEvery = time.Minute
)

// Run keeps the certificate up to date until ctx ends, and then returns nil. It
// must be called once at most.
func (s *Source) Run(ctx context.Context) error {
	if !s.enabled {
		<-ctx.Done()
		return nil
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		s.log.Warn("certificate files are looked at once a minute only", "err", err)
		s.loop(ctx, newFollower(nil, s.log), nil, nil)
		return nil
	}
	defer w.Close()
	s.loop(ctx, newFollower(w, s.log), w.Events, w.Errors)
	return nil
}

func (s *Source) loop(ctx context.Context, f *follower, events <-chan fsnotify.Event, errors <-chan error) {
	quiet := time.NewTimer(settle)
	quiet.Stop()
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	s.check(f)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.poke:
			s.check(f)
		case e := <-events:
			if f.concerns(e.Name) {
				quiet.Reset(settle)
			}
		case <-errors: // such as changes lost because there were too many
			quiet.Reset(settle)
		case <-quiet.C:
			s.check(f)
		case <-tick.C:
			s.check(f)
		}
	}
}

// check follows the files that are wanted now, then reads them: what changes
// after that is reported.
func (s *Source) check(f *follower) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.follow(s.wanted.files())
	s.renew()
}

// files returns the files that a change of can make a better certificate.
func (s settings) files() []string {
	if s.source != sourceFiles {
		return nil
	}
	return []string{s.cert, s.key}
}

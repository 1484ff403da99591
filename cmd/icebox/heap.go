package main

import (
	"context"
	"os"
	"runtime/debug"
	"time"
)

// Go lets garbage grow to as much as what is in use. With few sockets that is
// little memory, and collecting less often leaves the CPU to TURN. With many, what
// is in use is theirs and stays, and two fifths of it again are enough.
const (
	manySockets = 1000
	gcUsual     = 100 // percent
	gcMany      = 40
	gcInterval  = 2 * time.Second
)

// gcPercent is how much garbage there may be with that many sockets, in percent of
// what is in use.
func gcPercent(sockets int) int {
	if sockets >= manySockets {
		return gcMany
	}
	return gcUsual
}

// tendHeap keeps the collector's percentage at what the sockets ask for, unless
// GOGC in the environment says what it should be.
func (b *box) tendHeap(ctx context.Context) error {
	if os.Getenv("GOGC") != "" {
		<-ctx.Done()
		return nil
	}
	ticker := time.NewTicker(gcInterval)
	defer ticker.Stop()
	for now := gcUsual; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if want := gcPercent(b.signaling.Sockets()); want != now {
			debug.SetGCPercent(want)
			now = want
		}
	}
}

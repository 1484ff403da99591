package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// fakeSessions are sessions that end by themselves after a while; drained is
// when a drain began.
type fakeSessions struct {
	end     time.Duration
	started time.Time
}

func (f *fakeSessions) Drain(ctx context.Context) error {
	f.started = time.Now()
	select {
	case <-time.After(f.end):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestStopSignals(t *testing.T) {
	type sent struct {
		at     time.Duration
		signal os.Signal
	}
	for _, c := range []struct {
		name    string
		end     time.Duration // of the sessions
		sent    []sent
		want    time.Duration // when it stops
		drained bool
	}{
		{"SIGINT stops at once", time.Hour, []sent{{time.Second, os.Interrupt}}, time.Second, false},
		{"SIGTERM waits for sessions", 5 * time.Second, []sent{{time.Second, syscall.SIGTERM}}, 6 * time.Second, true},
		{"SIGTERM waits no longer than the limit", time.Hour, []sent{{time.Second, syscall.SIGTERM}}, 31 * time.Second, true},
		{"a second SIGTERM stops at once", time.Hour,
			[]sent{{time.Second, syscall.SIGTERM}, {3 * time.Second, syscall.SIGTERM}}, 3 * time.Second, true},
		{"SIGINT while draining stops at once", time.Hour,
			[]sent{{time.Second, syscall.SIGTERM}, {2 * time.Second, os.Interrupt}}, 2 * time.Second, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				signals := stopSignals{c: make(chan os.Signal, 1)}
				for _, s := range c.sent {
					time.AfterFunc(s.at, func() { signals.c <- s.signal })
				}
				sessions := &fakeSessions{end: c.end}
				limit := func() time.Duration { return 30 * time.Second }
				if err := signals.wait(t.Context(), sessions, limit, slog.New(slog.DiscardHandler)); err != nil {
					t.Fatal(err)
				}
				if got := time.Since(begin); got != c.want {
					t.Errorf("stopped after %v, want %v", got, c.want)
				}
				if got := !sessions.started.IsZero(); got != c.drained {
					t.Errorf("drained: %v, want %v", got, c.drained)
				}
			})
		})
	}
}

// TestNoReader starts icebox with a stdout that nobody reads, as icebox | true
// does.
func TestNoReader(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), selfEnv()...)
	cmd.Stdout = writer
	p := startCommand(t, configDir(t, loopbackConfig), cmd)
	writer.Close()
	p.until(t, &p.stderr, `"msg":"serving"`)
	p.signal(t, syscall.SIGTERM)
	if got := p.wait(t); got.code != exitOK {
		t.Errorf("exit code %d, want 0", got.code)
	}
}

func TestSIGHUPEndsNothing(t *testing.T) {
	p := serving(t, configDir(t, loopbackConfig))
	for range 2 {
		p.signal(t, syscall.SIGHUP)
	}
	p.until(t, &p.stderr, "SIGHUP changes nothing")
	if code, _ := get(t, pageOf(t, p)+"/healthz", "", ""); code != http.StatusOK {
		t.Errorf("/healthz answers %d", code)
	}
	p.signal(t, syscall.SIGTERM)
	if got := p.wait(t); got.code != exitOK {
		t.Errorf("exit code %d, want 0", got.code)
	}
}

func TestStopSignalsEndWithTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		signals := stopSignals{c: make(chan os.Signal, 1)}
		if err := signals.wait(ctx, &fakeSessions{}, nil, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	})
}

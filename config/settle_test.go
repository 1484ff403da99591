package config

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// TestWatchSettles holds that a file counts once it has stayed as it is, and not
// while it is being written.
func TestWatchSettles(t *testing.T) {
	dir := house(t)
	c, _ := loadText(t, "domain: zero.example")
	synctest.Test(t, func(t *testing.T) {
		events, log := make(chan fsnotify.Event), &records{}
		var applied atomic.Int32
		w := &watcher{path: "config.yaml", log: slog.New(slog.NewTextHandler(log, nil)), inForce: c, judged: c.digest, paths: c.paths}
		w.names = map[string]bool{filepath.Join(dir, "config.yaml"): true}
		w.apply = func(*Config) { applied.Add(1) }
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go w.run(ctx, events, nil)
		for _, part := range []string{"dom", "domain: one.exam", "domain: one.example\ntur", "domain: one.example\nturn: {}"} {
			write(t, "config.yaml", part)
			events <- fsnotify.Event{Name: filepath.Join(dir, "config.yaml")}
			time.Sleep(settling * 3 / 4)
		}
		if applied.Load() != 0 {
			t.Fatal("applied while it was being written")
		}
		time.Sleep(2 * settling)
		synctest.Wait()
		if applied.Load() != 1 || len(log.errors()) > 0 {
			t.Errorf("applied %d times, errors %v", applied.Load(), log.errors())
		}
		cancel()
		synctest.Wait()
	})
}

// TestWatchPolls finds a change that nothing has reported, and leaves the file
// alone in between. Events about other files change nothing.
func TestWatchPolls(t *testing.T) {
	dir := house(t)
	c, _ := loadText(t, "domain: zero.example")
	synctest.Test(t, func(t *testing.T) {
		var times []time.Duration
		start := time.Now()
		w := &watcher{path: "config.yaml", log: slog.New(slog.DiscardHandler), inForce: c, judged: c.digest, paths: c.paths}
		w.apply = func(*Config) { times = append(times, time.Since(start)) }
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		events := make(chan fsnotify.Event)
		go w.run(ctx, events, nil)
		time.Sleep(time.Second)
		write(t, "config.yaml", "domain: one.example")
		events <- fsnotify.Event{Name: filepath.Join(dir, "other")}
		close(events) // as after a fatal error of the system's watcher
		time.Sleep(10 * polling)
		synctest.Wait()
		if want := polling + 2*settling; len(times) != 1 || times[0] != want {
			t.Errorf("applied after %v, want once after %v", times, want)
		}
		cancel()
		synctest.Wait()
	})
}

// TestWatchTriesAgain has a disk that takes no file for a while: what was refused
// for that alone is taken as soon as it can be, and the reason is said once.
func TestWatchTriesAgain(t *testing.T) {
	house(t)
	c, _ := loadText(t, "domain: zero.example\nturn: {users: []}")
	if err := c.Secrets(true); err != nil {
		t.Fatal(err)
	}
	full := filepath.Join("state", passwordName("bob"))
	link(t, filepath.Join("nowhere", "bob"), full) // no file can take this name, and none is behind it
	synctest.Test(t, func(t *testing.T) {
		log := &records{}
		var applied atomic.Int32
		w := &watcher{path: "config.yaml", log: slog.New(slog.NewTextHandler(log, nil)), inForce: c, judged: c.digest, paths: c.paths}
		w.apply = func(*Config) { applied.Add(1) }
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go w.run(ctx, nil, nil)
		write(t, "config.yaml", "domain: one.example\nturn: {users: [{name: bob}]}")
		time.Sleep(10 * polling)
		synctest.Wait()
		if found := log.errors(); applied.Load() > 0 || len(found) != 1 || !strings.Contains(found[0], "password of user") {
			t.Errorf("applied %d times, errors %v", applied.Load(), found)
		}
		if err := os.Remove(full); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * polling)
		synctest.Wait()
		if applied.Load() != 1 || len(log.errors()) != 1 {
			t.Errorf("applied %d times, errors %v", applied.Load(), log.errors())
		}
		cancel()
		synctest.Wait()
	})
}

package config

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settling is how long the files must stay as they are before they count.
	// An editor or a copy takes several steps.
	settling = 200 * time.Millisecond
	// polling is how often they are read anyway: not every change is reported
	// (network file systems, files mounted into containers).
	polling = 10 * time.Second
)

// Watch watches the files that c was read from, and calls apply with each new
// valid configuration, its secrets filled in, until ctx ends. It returns nil
// then, and never earlier.
//
// The directories are watched, not the files, so that a file may be replaced by
// a rename or by a symbolic link that turns. A configuration that is not valid,
// or a file that is gone or holds nothing, is one error in the log, and is not
// applied. The same fault is not logged twice. A generated secret that is in
// force stays so where its file is gone, until the next start makes another.
func (c *Config) Watch(ctx context.Context, log *slog.Logger, apply func(*Config)) error {
	if len(c.paths) == 0 {
		<-ctx.Done()
		return nil
	}
	w := &watcher{path: c.path, log: log, apply: apply, inForce: c, judged: c.digest, paths: c.paths}
	system, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("changes of the configuration are seen late", "after", polling, "error", err)
		w.run(ctx, nil, nil)
		return nil
	}
	defer func() {
		system.Close()
		for range system.Events { // closed when its goroutine has ended
		}
	}()
	w.system = system
	w.run(ctx, system.Events, system.Errors)
	return nil
}

// watcher is a Watch at work. One goroutine uses it.
type watcher struct {
	path    string // as it was given to Load
	log     *slog.Logger
	apply   func(*Config)
	inForce *Config           // what was last applied
	system  *fsnotify.Watcher // nil: there is only polling
	paths   []string          // the files to watch
	names   map[string]bool   // they, and all links that lead to them
	judged  digest            // what was last applied or refused
	seen    digest            // what was there at the last look
	failed  string            // why what is there could not be taken, though it is sound
}

func (w *watcher) run(ctx context.Context, events <-chan fsnotify.Event, faults <-chan error) {
	w.attend()
	look := time.NewTimer(0)
	defer look.Stop()
	waiting := true
	soon := func() {
		if !waiting {
			waiting = true
			look.Reset(settling)
		}
	}
	poll := time.NewTicker(polling)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event, open := <-events:
			if !open {
				events = nil
			} else if w.names[event.Name] {
				soon()
			}
		case _, open := <-faults: // an overflow, say: something has changed
			if !open {
				faults = nil
			} else {
				soon()
			}
		case <-poll.C:
			soon()
		case <-look.C:
			waiting = false
			if !w.look(ctx) {
				soon()
			}
		}
	}
}

// look reads the files, and takes what it finds if that is new. It reports
// false where they have changed since the last look, so that they may not be
// whole yet.
func (w *watcher) look(ctx context.Context) bool {
	l := load(w.path)
	w.paths = l.files.paths
	w.attend()
	now := l.files.digest()
	if now == w.judged {
		w.seen, w.failed = now, ""
		return true
	}
	if now != w.seen {
		w.seen = now
		return false
	}
	if ctx.Err() == nil && w.take(l) {
		w.judged, w.failed = now, ""
	}
	return true
}

// take applies a configuration, or says why not. It reports false where that may
// change without the files, as with a disk that is full: then the next look tries
// again.
func (w *watcher) take(l *loaded) bool {
	if l.empty {
		l.report.failLine(1, "", "nothing is there, expected a whole file")
	}
	if err := l.report.err(); err != nil {
		w.refuse(err)
		return true
	}
	secrets := kept{last: w.inForce, next: l.config}
	if err := secrets.fill(); err != nil {
		if text := err.Error(); text != w.failed {
			w.failed = text
			w.refuse(err)
		}
		return false
	}
	for _, warning := range l.report.warnings() {
		w.log.Warn(warning.String())
	}
	w.log.Info("configuration has changed", "file", w.path)
	secrets.log(w.log)
	w.inForce = l.config
	w.apply(l.config)
	return true
}

func (w *watcher) refuse(err error) {
	text := err.Error()
	if all := (*Errors)(nil); errors.As(err, &all) {
		text = all.join("; ")
	}
	w.log.Error("the new configuration is not taken, the one before stays in force", "error", text)
}

// attend watches the directories of the files, and of each symbolic link that
// leads to one. Where that fails, polling is left.
func (w *watcher) attend() {
	if w.system == nil {
		return
	}
	dirs := map[string]bool{}
	w.names = map[string]bool{}
	for _, path := range w.paths {
		for _, hop := range hops(path) {
			w.names[hop] = true
			dirs[filepath.Dir(hop)] = true
		}
	}
	for _, dir := range w.system.WatchList() {
		if !dirs[dir] {
			_ = w.system.Remove(dir) // gone already, then
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		if err := w.system.Add(dir); err != nil {
			w.log.Debug("a directory can't be watched", "directory", dir, "error", err)
		}
	}
}

// hops are a path, the symbolic links on the way, and where they lead.
func hops(path string) []string {
	const most = 40 // as in Linux
	visited := []string{path}
	for range most {
		link, next := followLink(path)
		if link == "" {
			break
		}
		visited = append(visited, link, next)
		path = next
	}
	return visited
}

// followLink finds the first symbolic link in an absolute path, and the path
// behind it. Empty: there is none.
func followLink(path string) (link, next string) {
	for i := 1; i <= len(path); i++ {
		if i < len(path) && !os.IsPathSeparator(path[i]) {
			continue
		}
		if target, err := os.Readlink(path[:i]); err == nil {
			return path[:i], absolute(filepath.Dir(path[:i]), target) + path[i:]
		}
	}
	return "", ""
}

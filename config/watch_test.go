package config

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// records is a log that keeps what is said, one line a record.
type records struct {
	mu    sync.Mutex // guards lines
	lines []string
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, string(p))
	return len(p), nil
}

// errors are the records of level error.
func (r *records) errors() []string { return r.with("level=ERROR") }

// with are the records that hold this text.
func (r *records) with(text string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []string
	for _, line := range r.lines {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// watched is a Watch on the config.yaml of the working directory.
type watched struct {
	t       *testing.T
	log     *records
	applied chan *Config
}

func startWatch(t *testing.T, c *Config) *watched {
	t.Helper()
	w := &watched{t: t, log: &records{}, applied: make(chan *Config, 16)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- c.Watch(ctx, slog.New(slog.NewTextHandler(w.log, nil)), func(c *Config) { w.applied <- c })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Watch: %v", err)
		}
	})
	return w
}

// domain waits for the next configuration, which must be that of a domain.
func (w *watched) domain(want string) *Config {
	w.t.Helper()
	select {
	case c := <-w.applied:
		if c.Domain != want {
			w.t.Fatalf("domain %s is applied, want %s", c.Domain, want)
		}
		return c
	case <-time.After(polling / 2): // polling does not count
		w.t.Fatalf("domain %s is not applied; errors: %v", want, w.log.errors())
	}
	return nil
}

// fault waits for the error number n, which must hold want.
func (w *watched) fault(n int, want string) {
	w.t.Helper()
	for end := time.Now().Add(polling / 2); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if found := w.log.errors(); len(found) >= n {
			if !strings.Contains(found[n-1], want) {
				w.t.Fatalf("the error is %s, want %s", found[n-1], want)
			}
			return
		}
	}
	w.t.Fatalf("%d errors, want %d with %s", len(w.log.errors()), n, want)
}

// faults wants so many errors up to now.
func (w *watched) faults(want int) {
	w.t.Helper()
	if found := w.log.errors(); len(found) != want {
		w.t.Errorf("%d errors, want %d: %v", len(found), want, found)
	}
}

func rename(t testing.TB, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func link(t testing.TB, to, name string) {
	t.Helper()
	needs(t, runtime.GOOS != "windows", "symbolic links")
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}

// TestWatchEditors changes the file the ways that editors do.
func TestWatchEditors(t *testing.T) {
	house(t)
	c, _ := loadText(t, "domain: zero.example")
	w := startWatch(t, c)

	write(t, "config.yaml", "domain: one.example") // in place
	w.domain("one.example")

	write(t, ".config.yaml.swp", "domain: two.example") // renamed over it
	rename(t, ".config.yaml.swp", "config.yaml")
	w.domain("two.example")

	rename(t, "config.yaml", "config.yaml~") // the old one set aside first
	write(t, "config.yaml", "domain: three.example")
	w.domain("three.example")

	w.faults(0)
}

// TestWatchSeesWhatCameBefore holds that a change between Load and Watch counts.
func TestWatchSeesWhatCameBefore(t *testing.T) {
	house(t)
	c, _ := loadText(t, "domain: zero.example")
	write(t, "config.yaml", "domain: one.example")
	startWatch(t, c).domain("one.example")
}

// TestWatchLinks turns a link the way Kubernetes does, and edits behind a link
// that leads elsewhere.
func TestWatchLinks(t *testing.T) {
	dir := house(t)
	for _, version := range []string{"..1", "..2"} {
		if err := os.Mkdir(version, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, "..1/config.yaml", "domain: zero.example")
	write(t, "..2/config.yaml", "domain: one.example")
	link(t, "..1", "..data")
	link(t, filepath.Join("..data", "config.yaml"), "config.yaml")
	c, _, err := Load("config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := startWatch(t, c)
	link(t, "..2", "..data_tmp")
	rename(t, "..data_tmp", "..data")
	if got := w.domain("one.example").Path; got != filepath.Join(dir, "config.yaml") {
		t.Errorf("path %s", got)
	}
	elsewhere := filepath.Join(t.TempDir(), "real.yaml")
	write(t, elsewhere, "domain: two.example")
	link(t, elsewhere, "config.new")
	rename(t, "config.new", "config.yaml")
	w.domain("two.example")
	write(t, elsewhere, "domain: three.example")
	w.domain("three.example")
	w.faults(0)
}

// TestWatchKeepsTheOld puts every kind of bad file in place: the old one stays in
// force, with one error each.
func TestWatchKeepsTheOld(t *testing.T) {
	house(t)
	c, _ := loadText(t, "domain: zero.example")
	w := startWatch(t, c)

	bad := "log: {}\ndomian: one.example\nturn: {drain: soon}"
	write(t, "config.yaml", bad)
	w.fault(1, "config.yaml:2: domian: unknown key; did you mean domain?; config.yaml:3: turn.drain:")
	write(t, "config.yaml", bad+"\n\n# the same faults, another file")
	w.fault(2, "config.yaml:2: domian")
	write(t, "config.yaml", "")
	w.fault(3, "config.yaml:1: nothing is there, expected a whole file")
	if err := os.Remove("config.yaml"); err != nil {
		t.Fatal(err)
	}
	w.fault(4, "config.yaml: can't be read: ")
	write(t, "config.yaml", "domain: one.example")
	w.domain("one.example")
	w.faults(4)
}

// TestWatchOneErrorOneFault holds that the same bad file is not reported again,
// however often it is written.
func TestWatchOneErrorOneFault(t *testing.T) {
	house(t)
	c, _ := loadText(t, "domain: zero.example")
	w := startWatch(t, c)
	for range 3 {
		write(t, "config.yaml", "domian: one.example")
		w.fault(1, "config.yaml:1: domian")
		time.Sleep(2 * settling)
	}
	write(t, "config.yaml", "domain: one.example")
	w.domain("one.example")
	w.faults(1)
}

// TestWatchSecretFiles watches passwords in files of their own, also one that is
// not there yet.
func TestWatchSecretFiles(t *testing.T) {
	house(t)
	secrets := t.TempDir()
	ann, bob := filepath.Join(secrets, "ann"), filepath.Join(secrets, "bob")
	write(t, ann, "a long enough one\n")
	row := func(name, path string) string { return "{name: " + name + ", password_file: " + yamlText(path) + "}" }
	c, _ := loadText(t, "turn: {users: ["+row("ann", ann)+"]}")
	w := startWatch(t, c)

	write(t, ann, "another long one\n")
	if got := w.domain("").TURN.Users[0].Password; got != "another long one" {
		t.Errorf("password %q", got)
	}
	write(t, "config.yaml", "domain: one.example\nturn: {users: ["+row("ann", ann)+", "+row("bob", bob)+"]}")
	w.fault(1, "config.yaml:2: turn.users[1].password_file")
	write(t, bob, "bobs is long too\n")
	if got := w.domain("one.example").TURN.Users[1].Password; got != "bobs is long too" {
		t.Errorf("password %q", got)
	}
	w.faults(1)
}

// TestWatchMakesSecrets holds that what is applied has its generated passwords.
func TestWatchMakesSecrets(t *testing.T) {
	house(t)
	c, _ := loadText(t, "turn: {users: []}")
	if err := c.Secrets(true); err != nil {
		t.Fatal(err)
	}
	w := startWatch(t, c)
	write(t, "config.yaml", "turn: {users: [{name: ann}]}")
	if got := w.domain("").TURN; len(got.Users[0].Password) != 20 || got.Secret != c.TURN.Secret {
		t.Errorf("password %q, secret the same: %v", got.Users[0].Password, got.Secret == c.TURN.Secret)
	}
	if err := os.RemoveAll("state"); err != nil {
		t.Fatal(err)
	}
	write(t, "state", "in the way of the directory")
	write(t, "config.yaml", "domain: one.example\nturn: {users: [{name: bob}]}")
	w.fault(1, "password of user")
}

// TestWatchDefaults has nothing to watch, and still ends with its context only.
func TestWatchDefaults(t *testing.T) {
	house(t)
	c, _, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := c.Watch(ctx, slog.New(slog.DiscardHandler), nil); err != nil || ctx.Err() == nil {
			t.Errorf("Watch ended with %v, context %v", err, ctx.Err())
		}
	})
}

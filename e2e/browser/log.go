package browser

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
)

// log writes lines to a test as long as it runs. Logging to a test that is over
// would be a panic, and a browser talks to its end.
type log struct {
	mu sync.Mutex // guards t
	t  testing.TB // nil when closed
}

func newLog(t testing.TB) *log { return &log{t: t} }

func (l *log) print(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.t != nil {
		l.t.Log(line)
	}
}

func (l *log) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.t = nil
}

// writer gives a writer whose lines go to the log, each with this prefix.
func (l *log) writer(prefix string) *lineWriter { return &lineWriter{log: l, prefix: prefix} }

// noise is in lines that a machine without a desktop and a sound card gets from
// every browser, dozens of them.
var noise = []string{"ERROR:dbus/", "ALSA lib ", "alsa_util.cc"}

// lineWriter cuts what is written to it into lines. One goroutine uses it.
type lineWriter struct {
	log    *log
	prefix string
	rest   []byte
}

// Write never fails.
func (w *lineWriter) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			return len(b), nil
		}
		w.rest = rest
		if !noisy(string(line)) {
			w.log.print(w.prefix + string(line))
		}
	}
}

func noisy(line string) bool {
	return slices.ContainsFunc(noise, func(part string) bool { return strings.Contains(line, part) })
}

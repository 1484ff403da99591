package bench

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fullLoad is more than most can carry: nobody waits for a packet.
var fullLoad = traffic{"trains", 20, "up", 400000}

// collections are Go's garbage collections of a server under full load.
type collections struct {
	Count   float64 `json:"count"`
	Longest float64 `json:"longest_pause_us"`
}

// collections relays full load while the server's metrics are asked for without
// a break, since packets alone leave nothing to be collected, and reads how long
// everything had to stop. They are those since the server's start.
func (f *field) collections(b *testing.B, c relayer) (m collections) {
	b.Helper()
	f.withFlows(b, c, fullLoad.flows, func(pid int, w *flows) error {
		stop, asked := make(chan struct{}), make(chan error, 1)
		go func() { asked <- f.askUntil(stop) }()
		_, err := f.relay(pid, w, run{traffic: fullLoad, warm: warm, counted: *counted, segment: true})
		close(stop)
		if e := first(err, <-asked); e != nil {
			return e
		}
		m, err = f.collected()
		return err
	})
	b.Logf("collections, %s: %.0f, the longest pause %.0f us", c.name, m.Count, m.Longest)
	return m
}

func (f *field) askUntil(stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		case <-time.After(time.Millisecond):
		}
		if _, err := f.drops(); err != nil {
			return err
		}
	}
}

func (f *field) collected() (m collections, err error) {
	body, err := f.metrics()
	if err != nil {
		return m, err
	}
	defer body.Close()
	return readCollections(body)
}

func readCollections(metrics io.Reader) (m collections, err error) {
	found := 0
	for lines := bufio.NewScanner(metrics); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.ParseFloat(value, 64)
		switch {
		case err != nil:
		case name == `go_gc_duration_seconds{quantile="1"}`:
			m.Longest, found = n*1e6, found+1
		case name == "go_gc_duration_seconds_count":
			m.Count, found = n, found+1
		}
	}
	if found != 2 {
		return m, fmt.Errorf("metrics: %d of 2 numbers about collections", found)
	}
	return m, nil
}

func (r *relayReport) addCollections(server string, m collections) {
	r.Collections[server] = append(r.Collections[server], m)
}

// printCollections has no line for servers that are not written in Go.
func (r *relayReport) printCollections(out io.Writer) {
	if len(r.Collections) == 0 {
		return
	}
	w := r.columns(out, "garbage collections under full load", false)
	defer w.Flush()
	r.line(w, "how many", "%.0f", false, func(server string) float64 {
		return medianOf(r.Collections[server], func(m collections) float64 { return m.Count })
	}, nil)
	r.line(w, "longest pause, us", "%.0f", false, func(server string) float64 {
		return medianOf(r.Collections[server], func(m collections) float64 { return m.Longest })
	}, nil)
}

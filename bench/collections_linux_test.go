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

// loads are those at which collections are looked at: more than most can carry,
// so that nobody waits for a packet, and next to nothing, to tell what of a pause
// is the machine's.
var loads = []traffic{{"trains", 20, "up", 400000}, {"trains", 20, "up", 320}}

// collections are Go's garbage collections of a server under one of the loads.
type collections struct {
	Count   float64 `json:"count"`
	Longest float64 `json:"longest_pause_us"`
	Relayed float64 `json:"relayed_per_second"`
}

// collections relays a load while the server's metrics are asked for without a
// break, since packets alone leave nothing to be collected, and reads how long
// everything had to stop. They are those since the server's start. Whoever loads a
// box takes none of its CPU: here the generator yields, else a thread that has to
// stop may have to wait for the generator first.
func (f *field) collections(b *testing.B, c relayer, load traffic) (m collections) {
	b.Helper()
	f.withFlows(b, c, load.socket(), load.flows, func(pid int, w *flows) error {
		stop, asked := make(chan struct{}), make(chan error, 1)
		go func() { asked <- f.askUntil(stop) }()
		passed, err := f.relay(pid, w, run{traffic: load, warm: warm, counted: *counted, segment: true, yields: true})
		close(stop)
		if e := first(err, <-asked); e != nil {
			return e
		}
		m, err = f.collected()
		m.Relayed = passed.Relayed
		return err
	})
	b.Logf("collections, %v, %s: %.0f, the longest pause %.0f us, at %.0f packets a second", load, c.name, m.Count, m.Longest, m.Relayed)
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

func (r *relayReport) addCollections(load traffic, server string, m collections) {
	of := r.Collections[load.String()]
	if of == nil {
		of = make(map[string][]collections)
		r.Collections[load.String()] = of
	}
	of[server] = append(of[server], m)
}

// printCollections has zeros for servers that are not icebox.
func (r *relayReport) printCollections(out io.Writer) {
	if len(r.Collections) == 0 {
		return
	}
	w := r.columns(out, "garbage collections", false)
	defer w.Flush()
	for _, load := range loads {
		row := func(what string, field func(collections) float64) {
			r.line(w, fmt.Sprintf("%v, %s", load, what), "%.0f", func(server string) float64 {
				return medianOf(r.Collections[load.String()][server], field)
			}, nil, nil)
		}
		row("how many", func(m collections) float64 { return m.Count })
		row("longest pause, us", func(m collections) float64 { return m.Longest })
		row("relayed a second", func(m collections) float64 { return m.Relayed })
	}
}

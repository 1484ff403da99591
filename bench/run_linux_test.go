package bench

import (
	"fmt"
	"runtime/debug"
	"time"
)

// run is one traffic through one server.
type run struct {
	traffic
	warm, counted time.Duration // how long it goes on before it is counted, and while it is
	segment       bool
	drops         bool // the server is icebox and tells what it drops
	yields        bool // the generator takes no CPU that anybody else wants
}

// look is a moment of a run.
type look struct {
	at      time.Time
	cpu     time.Duration
	relayed uint64
}

func lookAt(pid int, g *generator) (look, error) {
	cpu, err := cpuTime(pid)
	return look{time.Now(), cpu, g.relayed.Load()}, err
}

// relay sends a run's traffic through the server, and measures it.
func (f *field) relay(pid int, w *flows, r run) (m passage, err error) {
	g, err := newGenerator(w, r.traffic, r.segment)
	if err != nil {
		return m, err
	}
	defer g.close()
	before, err := f.dropsOf(r)
	if err != nil {
		return m, err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the generator makes no garbage
	done := make(chan error, 1)
	go func() { done <- g.run(place{f.clientCPU, r.yields}) }()
	watched, err := f.watch(pid, g, r, done)
	if err != nil {
		return m, fmt.Errorf("%v: %w", r.traffic, err)
	}
	after, err := f.dropsOf(r)
	m.set(r, &g.outcome, watched)
	m.Causes.Own = more(before, after)
	return m, err
}

// more is by how much counters have grown, of those that have.
func more(before, after map[string]float64) map[string]float64 {
	grown := make(map[string]float64)
	for name, n := range after {
		if n > before[name] {
			grown[name] = n - before[name]
		}
	}
	return grown
}

// watched is what is seen of a run from outside of its generator.
type watched struct {
	before, after look
	lost          counters
}

// watch leads a generator through its phases and waits for its end.
func (f *field) watch(pid int, g *generator, r run, done <-chan error) (w watched, err error) {
	stop := func() error {
		g.phase.Store(ending)
		return <-done
	}
	select {
	case err := <-done:
		return w, err
	case <-time.After(r.warm):
	}
	lost, err := f.counters()
	if err == nil {
		w.before, err = lookAt(pid, g)
	}
	if err != nil {
		stop()
		return w, err
	}
	g.phase.Store(counting)
	select {
	case err := <-done:
		return w, err
	case <-time.After(r.counted):
	}
	w.after, err = lookAt(pid, g)
	if ended := stop(); ended != nil || err != nil {
		return w, first(ended, err)
	}
	now, err := f.counters()
	if err != nil {
		return w, err
	}
	w.lost = now.since(lost)
	if w.lost.strays > 0 {
		return w, fmt.Errorf("%d packets came to sockets that are not their flow's", w.lost.strays)
	}
	return w, nil
}

// dropsOf are the server's own counts, where it has some.
func (f *field) dropsOf(r run) (map[string]float64, error) {
	if !r.drops {
		return nil, nil
	}
	return f.drops()
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// passage is how a server relayed one traffic.
type passage struct {
	CPU      float64 `json:"server_cpu_us_per_packet"` // of all its threads
	Offered  float64 `json:"offered_per_second"`       // what the generator sent
	Relayed  float64 `json:"relayed_per_second"`
	P50      float64 `json:"p50_us"` // one way
	P99      float64 `json:"p99_us"`
	Loss     float64 `json:"loss"` // as a share of what was sent
	Causes   causes  `json:"lost_packets"`
	Disorder float64 `json:"reordered_packets"`
	Twice    float64 `json:"duplicate_packets"`
	Late50   float64 `json:"generator_late_p50_us"` // behind its own schedule
	Late99   float64 `json:"generator_late_p99_us"`
	Latest   float64 `json:"generator_late_max_us"`
	// Overload is 1 where the generator could not offer what it should have.
	Overload float64 `json:"generator_overload"`
}

// causes are where packets were lost.
type causes struct {
	Before  float64            `json:"before_server"` // its sockets' receive buffers
	Backlog float64            `json:"cpu_backlog"`
	Server  float64            `json:"in_server"` // what no other cause explains
	Send    float64            `json:"server_send_buffers"`
	After   float64            `json:"after_server"` // client's and peer's receive buffers
	Own     map[string]float64 `json:"as_counted_by_server,omitempty"`
}

func (c *causes) add(d causes) {
	c.Before += d.Before
	c.Backlog += d.Backlog
	c.Server += d.Server
	c.Send += d.Send
	c.After += d.After
	for name, n := range d.Own {
		c.Own[name] += n
	}
}

// String names those that there are.
func (c causes) String() (text string) {
	for _, cause := range []struct {
		name string
		n    float64
	}{{"before the server", c.Before}, {"CPU backlog", c.Backlog}, {"in the server", c.Server},
		{"its send buffers", c.Send}, {"after the server", c.After}} {
		if cause.n > 0 {
			text += fmt.Sprintf(" %s %.0f", cause.name, cause.n)
		}
	}
	if len(c.Own) > 0 {
		text += fmt.Sprintf(" (it counted %v)", c.Own)
	}
	return text
}

// What makes a generator overloaded: it sent less than this share of what it
// should have, or a packet this late.
const (
	leastOffered = 0.99
	tooLate      = 50 * time.Millisecond
)

func (m *passage) set(r run, o *outcome, w watched) {
	seconds := o.took.Seconds()
	m.Offered, m.Relayed = float64(o.sent)/seconds, float64(o.received)/seconds
	if relayed := w.after.relayed - w.before.relayed; relayed > 0 {
		m.CPU = float64((w.after.cpu - w.before.cpu).Nanoseconds()) / 1000 / float64(relayed)
	}
	m.P50, m.P99 = o.latency.quantile(0.50), o.latency.quantile(0.99)
	m.Late50, m.Late99 = o.late.quantile(0.50), o.late.quantile(0.99)
	m.Latest = float64(o.latest.Nanoseconds()) / 1000
	m.Disorder, m.Twice = float64(o.reordered), float64(o.duplicates)
	if m.Offered < leastOffered*float64(r.rate) || o.latest > tooLate {
		m.Overload = 1
	}
	lost := float64(o.sent - o.received)
	if o.sent > 0 {
		m.Loss = lost / float64(o.sent)
	}
	m.Causes = causes{Before: float64(w.lost.boxReceive), Backlog: float64(w.lost.backlog),
		Send: float64(w.lost.boxSend), After: float64(w.lost.ends)}
	m.Causes.Server = max(0, lost-m.Causes.Before-m.Causes.Backlog-m.Causes.Send-m.Causes.After)
}

func (m passage) String() string {
	text := fmt.Sprintf("%.2f us CPU, p50 %.0f us, p99 %.0f us, %.0f/s offered, %.3f%% lost, late p50 %.0f p99 %.0f max %.0f us",
		m.CPU, m.P50, m.P99, m.Offered, 100*m.Loss, m.Late50, m.Late99, m.Latest)
	if m.Loss > 0 {
		text += ":" + m.Causes.String()
	}
	if m.Overload > 0 {
		text += ", GENERATOR OVERLOAD"
	}
	return text
}

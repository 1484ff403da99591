package bench

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"
)

// relayReport has the turns of all servers of the relay benchmark.
type relayReport struct {
	Time      string                 `json:"time"`
	Machine   string                 `json:"machine"`
	Counted   float64                `json:"seconds_per_case"`
	Pinned    bool                   `json:"pinned"`
	Segmented bool                   `json:"load_sends_by_udp_segment"`
	Servers   []serverID             `json:"servers"`
	Cases     []*caseScore           `json:"cases"`
	Highest   []*peakScore           `json:"highest_rates"`
	Memory    map[string][]footprint `json:"memory"` // by server

	Collections map[string]map[string][]collections `json:"garbage_collections"` // by load and server
}

type serverID struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// caseScore is one case, of each server that had it.
type caseScore struct {
	traffic traffic
	Name    string                   `json:"case"`
	Servers map[string]*passageScore `json:"servers"`
}

type passageScore struct {
	Median passage   `json:"median"`
	Ratio  ratio     `json:"ratio"`
	Rounds []passage `json:"rounds"`
}

// ratio is a server's figures by those of the first server: medians of the rounds' own.
type ratio struct {
	CPU float64 `json:"server_cpu_us_per_packet"`
	P50 float64 `json:"p50_us"`
	P99 float64 `json:"p99_us"`
}

// peakScore is the highest rate of one kind of packets.
type peakScore struct {
	Kind    string             `json:"kind"`
	Medians map[string]float64 `json:"medians"`
	Rounds  map[string][]peak  `json:"rounds"`
}

func newRelayReport(list []relayer, f *field) *relayReport {
	r := &relayReport{Time: time.Now().UTC().Format(time.RFC3339), Machine: machine(), Counted: counted.Seconds(),
		Pinned: f.serverCPU >= 0, Segmented: *segment, Memory: make(map[string][]footprint),
		Collections: make(map[string]map[string][]collections)}
	for _, c := range list {
		r.Servers = append(r.Servers, serverID{c.name, c.version})
	}
	return r
}

func (r *relayReport) empty() bool {
	return len(r.Cases)+len(r.Highest)+len(r.Memory)+len(r.Collections) == 0
}

func (r *relayReport) addPassage(t traffic, server string, m passage) {
	c := r.caseOf(t)
	s := c.Servers[server]
	if s == nil {
		s = new(passageScore)
		c.Servers[server] = s
	}
	s.Rounds = append(s.Rounds, m)
	s.Median = medianPassage(s.Rounds)
	if base := c.Servers[r.Servers[0].Name]; base != nil {
		for _, s := range c.Servers {
			s.Ratio = ratio{
				CPU: ratioOf(s.Rounds, base.Rounds, func(p passage) float64 { return p.CPU }),
				P50: ratioOf(s.Rounds, base.Rounds, func(p passage) float64 { return p.P50 }),
				P99: ratioOf(s.Rounds, base.Rounds, func(p passage) float64 { return p.P99 }),
			}
		}
	}
}

func (r *relayReport) caseOf(t traffic) *caseScore {
	for _, c := range r.Cases {
		if c.traffic == t {
			return c
		}
	}
	c := &caseScore{t, t.String(), make(map[string]*passageScore)}
	r.Cases = append(r.Cases, c)
	return c
}

func (r *relayReport) addHighest(kind, server string, p peak) {
	var s *peakScore
	for _, old := range r.Highest {
		if old.Kind == kind {
			s = old
		}
	}
	if s == nil {
		s = &peakScore{kind, make(map[string]float64), make(map[string][]peak)}
		r.Highest = append(r.Highest, s)
	}
	s.Rounds[server] = append(s.Rounds[server], p)
	s.Medians[server] = medianOf(s.Rounds[server], func(p peak) float64 { return p.Rate })
}

func (r *relayReport) addMemory(server string, m footprint) {
	r.Memory[server] = append(r.Memory[server], m)
}

// by is a divided by b, rounded; 0 where b is 0.
func by(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return math.Round(a/b*1000) / 1000
}

func medianOf[T any](list []T, field func(T) float64) float64 {
	values := make([]float64, len(list))
	for i, v := range list {
		values[i] = field(v)
	}
	return median(values)
}

// ratioOf is the median of the rounds' own ratios: how fast the machine is changes from
// round to round, and less while servers follow one another.
func ratioOf[T any](list, base []T, field func(T) float64) float64 {
	values := make([]float64, min(len(list), len(base)))
	for i := range values {
		values[i] = by(field(list[i]), field(base[i]))
	}
	return median(values)
}

// medianPassage is the median of each field by itself.
func medianPassage(rounds []passage) (m passage) {
	for _, field := range []func(*passage) *float64{
		func(p *passage) *float64 { return &p.CPU },
		func(p *passage) *float64 { return &p.Offered },
		func(p *passage) *float64 { return &p.Relayed },
		func(p *passage) *float64 { return &p.P50 },
		func(p *passage) *float64 { return &p.P99 },
		func(p *passage) *float64 { return &p.Loss },
		func(p *passage) *float64 { return &p.Disorder },
		func(p *passage) *float64 { return &p.Twice },
		func(p *passage) *float64 { return &p.Late50 },
		func(p *passage) *float64 { return &p.Late99 },
		func(p *passage) *float64 { return &p.Latest },
		func(p *passage) *float64 { return &p.Overload },
		func(p *passage) *float64 { return &p.Causes.Before },
		func(p *passage) *float64 { return &p.Causes.Backlog },
		func(p *passage) *float64 { return &p.Causes.Server },
		func(p *passage) *float64 { return &p.Causes.Send },
		func(p *passage) *float64 { return &p.Causes.After },
	} {
		*field(&m) = medianOf(rounds, func(p passage) float64 { return *field(&p) })
	}
	return m
}

// print writes the medians as tables.
func (r *relayReport) print(out io.Writer) {
	turns := 0
	for _, c := range r.Cases {
		turns = max(turns, len(c.Servers[r.Servers[0].Name].Rounds))
	}
	fmt.Fprintf(out, "\n%s, %s\nmedians of %d rounds of %.1f s a case, and of their ratios; pinned: %v, load by UDP_SEGMENT: %v\n",
		r.Time, r.Machine, turns, r.Counted, r.Pinned, r.Segmented)
	r.printCases(out, "server CPU, us a packet", "%.2f", func(p *passage) float64 { return p.CPU }, func(r *ratio) float64 { return r.CPU })
	r.printCases(out, "one way, p50 us", "%.0f", func(p *passage) float64 { return p.P50 }, func(r *ratio) float64 { return r.P50 })
	r.printCases(out, "one way, p99 us", "%.0f", func(p *passage) float64 { return p.P99 }, func(r *ratio) float64 { return r.P99 })
	r.printCases(out, "lost, %", "%.3f", func(p *passage) float64 { return 100 * p.Loss }, nil)
	r.printCauses(out)
	r.printFlows(out)
	r.printHighest(out)
	r.printMemory(out)
	r.printCollections(out)
}

// columns begins a table: the title, the servers, and their ratios if wanted.
func (r *relayReport) columns(out io.Writer, title string, ratios bool) *tabwriter.Writer {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, title)
	for _, s := range r.Servers {
		fmt.Fprintf(w, "\t%s", s.Name)
	}
	if ratios {
		for _, s := range r.Servers[1:] {
			fmt.Fprintf(w, "\t%s / %s", s.Name, r.Servers[0].Name)
		}
	}
	fmt.Fprintln(w, "\t")
	return w
}

// line is one line of such a table, with ratios unless that is nil. A value that mark is
// true for gets a mark.
func (r *relayReport) line(w io.Writer, name, format string, value, byFirst func(server string) float64, mark func(server string) bool) {
	fmt.Fprint(w, name)
	for _, s := range r.Servers {
		fmt.Fprintf(w, "\t"+format, value(s.Name))
		if mark != nil && mark(s.Name) {
			fmt.Fprint(w, "!")
		}
	}
	if byFirst != nil {
		for _, s := range r.Servers[1:] {
			fmt.Fprintf(w, "\t%.2f", byFirst(s.Name))
		}
	}
	fmt.Fprintln(w, "\t")
}

// printCases marks what the generator could not offer in full.
func (r *relayReport) printCases(out io.Writer, title, format string, value func(*passage) float64, ratios func(*ratio) float64) {
	w := r.columns(out, title, ratios != nil)
	defer w.Flush()
	for _, c := range r.Cases {
		var byFirst func(string) float64
		if ratios != nil {
			byFirst = func(server string) float64 { return ratios(&c.Servers[server].Ratio) }
		}
		r.line(w, c.Name, format, func(server string) float64 { return value(&c.Servers[server].Median) }, byFirst,
			func(server string) bool { return c.Servers[server].Median.Overload > 0 })
	}
}

// printCauses says where packets were lost, of the sum of all rounds.
func (r *relayReport) printCauses(out io.Writer) {
	fmt.Fprintln(out, "\nlost packets by cause, of all rounds")
	for _, c := range r.Cases {
		for _, s := range r.Servers {
			sum := causes{Own: make(map[string]float64)}
			for _, p := range c.Servers[s.Name].Rounds {
				sum.add(p.Causes)
			}
			if text := sum.String(); text != "" {
				fmt.Fprintf(out, "  %s, %s:%s\n", c.Name, s.Name, text)
			}
		}
	}
}

// printFlows compares many flows with few, where both were measured.
func (r *relayReport) printFlows(out io.Writer) {
	w := r.columns(out, "CPU at 1,000 flows by that at 20", false)
	defer w.Flush()
	for _, many := range r.Cases {
		t := many.traffic
		t.flows = 20
		for _, few := range r.Cases {
			if many.traffic.flows != 1000 || few.traffic != t {
				continue
			}
			r.line(w, fmt.Sprintf("%s/%s/%d", t.kind, t.way, t.rate), "%.2f", func(server string) float64 {
				return by(many.Servers[server].Median.CPU, few.Servers[server].Median.CPU)
			}, nil, nil)
		}
	}
}

// printHighest marks where the generator was the limit in most rounds.
func (r *relayReport) printHighest(out io.Writer) {
	if len(r.Highest) == 0 {
		return
	}
	w := r.columns(out, "highest rate, packets a second", true)
	defer w.Flush()
	for _, h := range r.Highest {
		r.line(w, h.Kind, "%.0f",
			func(server string) float64 { return h.Medians[server] },
			func(server string) float64 {
				return ratioOf(h.Rounds[server], h.Rounds[r.Servers[0].Name], func(p peak) float64 { return p.Rate })
			},
			func(server string) bool {
				return medianOf(h.Rounds[server], func(p peak) float64 { return truth(p.AtLeast) }) > 0.5
			})
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (r *relayReport) printMemory(out io.Writer) {
	if len(r.Memory) == 0 {
		return
	}
	w := r.columns(out, "memory", true)
	defer w.Flush()
	row := func(name string, field func(footprint) float64) {
		r.line(w, name, "%.1f", func(server string) float64 { return medianOf(r.Memory[server], field) },
			func(server string) float64 { return ratioOf(r.Memory[server], r.Memory[r.Servers[0].Name], field) }, nil)
	}
	row("KB a session", func(m footprint) float64 { return m.Session / 1000 })
	row(fmt.Sprintf("MB with %d", memoryFirst), func(m footprint) float64 { return m.Idle / 1e6 })
}

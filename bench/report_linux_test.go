package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// measurement is one turn of one server.
type measurement struct {
	Rate       float64 `json:"allocations_per_second"`       // whole sessions: 401, Allocate, Refresh with lifetime 0
	Answered   float64 `json:"answered_per_second"`          // by the clock, to the last answer
	LetGo      float64 `json:"let_go_after_s"`               // seconds from there until the server has closed all sockets
	CPU        float64 `json:"server_cpu_us_per_allocation"` // microseconds of all its threads
	Load       float64 `json:"load_cpu_share"`               // of one CPU, what the load took; near 1 it is the bottleneck
	Latency50  float64 `json:"allocate_p50_us"`              // of the signed Allocate, one at a time
	Latency99  float64 `json:"allocate_p99_us"`
	Idle       float64 `json:"idle_bytes"`             // Pss before
	MemoryFew  float64 `json:"bytes_per_session_2000"` // Pss more, a session
	MemoryMany float64 `json:"bytes_per_session_10000"`
	Resent     float64 `json:"requests_resent"`
}

func (m *measurement) setSpeed(sessions int, many, one result, server time.Duration) {
	n := float64(sessions)
	m.Rate = n / server.Seconds()
	m.Answered = n / many.took.Seconds()
	m.CPU = float64(server.Nanoseconds()) / 1000 / n
	m.Load = many.cpu.Seconds() / many.took.Seconds()
	m.Latency50 = quantile(one.latencies, 0.50)
	m.Latency99 = quantile(one.latencies, 0.99)
	m.Resent = float64(many.resent + one.resent)
}

func (m measurement) String() string {
	return fmt.Sprintf("%.0f allocations a second of CPU, %.0f/s answered, closed after %.2f s, %.1f us CPU each, load %.0f%%, p50 %.0f us, p99 %.0f us, %.1f KB a session (%.1f of 2,000), %.0f resent",
		m.Rate, m.Answered, m.LetGo, m.CPU, 100*m.Load, m.Latency50, m.Latency99, m.MemoryMany/1000, m.MemoryFew/1000, m.Resent)
}

// quantile is in microseconds; of nothing it is 0.
func quantile(list []time.Duration, q float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return float64(sorted[int(q*float64(len(sorted)-1))].Nanoseconds()) / 1000
}

// report has the turns of all servers.
type report struct {
	Time    string   `json:"time"`
	Machine string   `json:"machine"`
	Servers []*score `json:"servers"`
}

// score is one server. Ratio is icebox's median by this one's.
type score struct {
	Name    string        `json:"name"`
	Version string        `json:"version"`
	Median  measurement   `json:"median"`
	Ratio   measurement   `json:"icebox_ratio"`
	Turns   []measurement `json:"turns"`
}

func newReport(list []contender) *report {
	r := &report{Time: time.Now().UTC().Format(time.RFC3339), Machine: machine()}
	for _, c := range list {
		r.Servers = append(r.Servers, &score{Name: c.name, Version: c.version})
	}
	return r
}

func (r *report) add(name string, m measurement) {
	for _, s := range r.Servers {
		if s.Name == name {
			s.Turns = append(s.Turns, m)
		}
	}
	for _, s := range r.Servers {
		s.Median = medians(s.Turns)
		s.Ratio = ratios(r.Servers[0].Median, s.Median)
	}
}

// row is one line of the table, and one field of a measurement.
type row struct {
	name, format string
	unit         float64 // what the field is divided by
	field        func(*measurement) *float64
}

var rows = []row{
	{"allocations a second of CPU", "%.0f", 1, func(m *measurement) *float64 { return &m.Rate }},
	{"answered a second, by the clock", "%.0f", 1, func(m *measurement) *float64 { return &m.Answered }},
	{"all closed after, s", "%.2f", 1, func(m *measurement) *float64 { return &m.LetGo }},
	{"server CPU, us an allocation", "%.1f", 1, func(m *measurement) *float64 { return &m.CPU }},
	{"Allocate alone, p50 us", "%.0f", 1, func(m *measurement) *float64 { return &m.Latency50 }},
	{"Allocate alone, p99 us", "%.0f", 1, func(m *measurement) *float64 { return &m.Latency99 }},
	{"KB a session of 2,000", "%.1f", 1000, func(m *measurement) *float64 { return &m.MemoryFew }},
	{"KB a session of 10,000", "%.1f", 1000, func(m *measurement) *float64 { return &m.MemoryMany }},
	{"MB before the first", "%.1f", 1e6, func(m *measurement) *float64 { return &m.Idle }},
	{"load generator, % of its CPU", "%.0f", 0.01, func(m *measurement) *float64 { return &m.Load }},
	{"requests sent again", "%.0f", 1, func(m *measurement) *float64 { return &m.Resent }},
}

func medians(turns []measurement) (m measurement) {
	for _, r := range rows {
		values := make([]float64, len(turns))
		for i := range turns {
			values[i] = *r.field(&turns[i])
		}
		*r.field(&m) = median(values)
	}
	return m
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half]
	}
	return (values[half-1] + values[half]) / 2
}

// ratios are a by b, 0 where b is 0.
func ratios(a, b measurement) (m measurement) {
	for _, r := range rows {
		if over := *r.field(&b); over != 0 {
			*r.field(&m) = math.Round(*r.field(&a)/over*1000) / 1000
		}
	}
	return m
}

// print writes the medians as a table, with icebox's ratio to each other server.
func (r *report) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s, %s; medians of %d rounds\n\n", r.Time, r.Machine, len(r.Servers[0].Turns))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer w.Flush()
	for _, s := range r.Servers {
		fmt.Fprintf(w, "\t%s %s", s.Name, s.Version)
	}
	for _, s := range r.Servers[1:] {
		fmt.Fprintf(w, "\ticebox / %s", s.Name)
	}
	fmt.Fprintln(w, "\t")
	for _, row := range rows {
		fmt.Fprint(w, row.name)
		for _, s := range r.Servers {
			fmt.Fprintf(w, "\t"+row.format, *row.field(&s.Median)/row.unit)
		}
		for _, s := range r.Servers[1:] {
			fmt.Fprintf(w, "\t%.2f", *row.field(&s.Ratio))
		}
		fmt.Fprintln(w, "\t")
	}
}

// writeJSON puts results into a file.
func writeJSON(name string, results any) error {
	text, err := json.MarshalIndent(results, "", "  ")
	if err == nil {
		err = os.WriteFile(name, append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	return nil
}

// machine describes where this runs.
func machine() string {
	words := []string{fmt.Sprintf("%d CPUs", runtime.NumCPU()), runtime.GOOS + "/" + runtime.GOARCH, runtime.Version()}
	if model := cpuModel(); model != "" {
		words = append([]string{model}, words...)
	}
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		words = append(words, "kernel "+strings.TrimSpace(string(kernel)))
	}
	return strings.Join(words, ", ")
}

func cpuModel() string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t: "))
		}
	}
	return ""
}

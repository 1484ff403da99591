package bench

import (
	"flag"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var (
	servers = flag.String("servers", "coturn,pion/turn,icebox-plain,icebox-batch,icebox-batch-pinned", "who relays, in this order")
	only    = flag.String("cases", "", "a regular expression: the cases that are measured, and highest/KIND, collections and memory")
	all     = flag.Bool("all", false, "the whole matrix of cases")
	counted = flag.Duration("counted", 1500*time.Millisecond, "how long each case is measured")
	segment = flag.Bool("gso", false, "the load sends trains by UDP_SEGMENT")
)

// Times and sizes that no flag changes.
const (
	warm        = 500 * time.Millisecond // before a case is counted
	memoryFlows = 1000
	memoryFirst = 64 // sessions that are there before memory is looked at
)

// The search for the highest rate: between these, in so many steps of this
// length, for less loss than this.
const (
	searchLow   = 20_000
	searchHigh  = 1_280_000
	searchSteps = 7
	searchTime  = 500 * time.Millisecond
	searchLoss  = 0.001
)

// BenchmarkRelay measures the servers' data paths: every case for all servers in
// turn, and that round by round. It measures once whatever b.N, and fails where
// a packet is damaged or misdelivered.
func BenchmarkRelay(b *testing.B) {
	f := relayField(b)
	raiseFiles(b, 8*memoryFlows)
	f.arrange(b, pin.or(false)) // two that never sleep would leave nobody a CPU to look at them
	list := relayers(b, strings.Split(*servers, ","))
	chosen, err := regexp.Compile(*only)
	if err != nil {
		b.Fatal(err)
	}
	r := newRelayReport(list, f)
	b.ResetTimer()
	for round := range *rounds {
		for _, t := range selected(chosen) {
			eachInTurn(list, round, func(c relayer) { r.addPassage(t, c.name, f.passage(b, c, t)) })
		}
		for _, kind := range []string{"singles", "trains"} {
			if chosen.MatchString("highest/" + kind) {
				eachInTurn(list, round, func(c relayer) { r.addHighest(kind, c.name, f.highest(b, c, kind)) })
			}
		}
		if chosen.MatchString("collections") {
			for _, load := range loads {
				eachInTurn(list, round, func(c relayer) {
					if c.drops {
						r.addCollections(load, c.name, f.collections(b, c, load))
					}
				})
			}
		}
		if chosen.MatchString("memory") {
			eachInTurn(list, round, func(c relayer) { r.addMemory(c.name, f.memoryPerFlow(b, c)) })
		}
	}
	b.StopTimer()
	b.ReportMetric(0, "ns/op")
	if r.empty() {
		b.Fatalf("-cases %q chooses none, expected a part of a name as singles/20/up/60000, highest/trains, collections or memory", *only)
	}
	r.print(os.Stdout)
	if *jsonFile != "" {
		if err := writeJSON(*jsonFile, r); err != nil {
			b.Fatal(err)
		}
	}
}

// selected are the cases that flags choose.
func selected(chosen *regexp.Regexp) (list []traffic) {
	from := cases()
	if *all {
		from = everyCase()
	}
	for _, t := range from {
		if chosen.MatchString(t.String()) {
			list = append(list, t)
		}
	}
	return list
}

// eachInTurn calls use for all, beginning with another one each round.
func eachInTurn(list []relayer, round int, use func(relayer)) {
	for i := range list {
		use(list[(i+round)%len(list)])
	}
}

// withFlows starts a server and opens flows through it, from clients' sockets of that type.
func (f *field) withFlows(b *testing.B, c relayer, socket, count int, use func(pid int, w *flows) error) {
	b.Helper()
	f.with(b, c.contender, func(pid int) error {
		w, err := f.flows(socket, count)
		if err != nil {
			return err
		}
		defer w.close()
		return use(pid, w)
	})
}

// passage starts a server and sends a case's traffic through it.
func (f *field) passage(b *testing.B, c relayer, t traffic) (m passage) {
	b.Helper()
	f.withFlows(b, c, t.socket(), t.flows, func(pid int, w *flows) (err error) {
		m, err = f.relay(pid, w, run{traffic: t, warm: warm, counted: *counted, segment: (*segment || t.kind == "segmented") && t.socket() == unix.SOCK_DGRAM, drops: c.drops})
		return err
	})
	b.Logf("%v, %s: %v", t, c.name, m)
	return m
}

// peak is the highest rate that a server relays with next to no loss.
type peak struct {
	Rate    float64 `json:"packets_per_second"`
	AtLeast bool    `json:"generator_could_offer_no_more"`
}

// highest finds the peak of a kind of packets, upwards, by bisection.
func (f *field) highest(b *testing.B, c relayer, kind string) (p peak) {
	b.Helper()
	f.withFlows(b, c, unix.SOCK_DGRAM, 20, func(pid int, w *flows) error {
		low, high := float64(searchLow), float64(searchHigh)
		for range searchSteps {
			t := traffic{kind, w.count(), "up", int(math.Sqrt(low * high))}
			m, err := f.relay(pid, w, run{traffic: t, warm: searchTime / 5, counted: searchTime, segment: *segment})
			if err != nil {
				return err
			}
			switch {
			case m.Loss >= searchLoss:
				high, p.AtLeast = min(float64(t.rate), m.Offered), false
			case m.Overload > 0:
				high, p.AtLeast = float64(t.rate), true
			default:
				low = float64(t.rate)
			}
		}
		p.Rate = low
		return nil
	})
	b.Logf("highest/%s, %s: %+v", kind, c.name, p)
	return p
}

// footprint is the memory of a server.
type footprint struct {
	Idle    float64 `json:"idle_bytes"`
	Session float64 `json:"bytes_per_session"` // with a channel
}

// memoryPerFlow measures what sessions with a channel take.
func (f *field) memoryPerFlow(b *testing.B, c relayer) (m footprint) {
	b.Helper()
	f.withFlows(b, c, unix.SOCK_DGRAM, memoryFirst, func(pid int, _ *flows) error {
		time.Sleep(settle)
		before, err := memory(pid)
		if err != nil {
			return err
		}
		w, err := f.flowsFrom(memoryFirst, unix.SOCK_DGRAM, memoryFlows)
		if err != nil {
			return err
		}
		defer w.close()
		time.Sleep(settle)
		after, err := memory(pid)
		m = footprint{float64(before), float64(after-before) / memoryFlows}
		return err
	})
	b.Logf("memory, %s: %.1f MB, and %.1f KB a session", c.name, m.Idle/1e6, m.Session/1000)
	return m
}

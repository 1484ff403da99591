package bench

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icebox/natlab"
)

var (
	rounds      = flag.Int("rounds", 5, "how often each server has its turn")
	allocations = flag.Int("allocations", 16000, "sessions of one measurement of speed, up to 40000")
	window      = flag.Int("window", 64, "requests on their way at a time")
	jsonFile    = flag.String("json", "", "where to write the results as JSON")
)

// Sessions of the measurements that no flag changes.
const (
	warmUp   = 256 // begun and ended before anything is measured
	fewHeld  = 2000
	manyHeld = 10000
	single   = 2000 // one at a time, for the latency
	settle   = 300 * time.Millisecond
	spare    = 500 // files that are no load's sockets

	// spareFiles are those that a server may open at its first session and keep.
	spareFiles = 16
	// putOff is how late a server may close the sockets of ended sessions.
	putOff = time.Minute
)

// firstPort is the client's first port. Its namespace has no other sockets.
const firstPort = 10000

// BenchmarkTurn measures servers in turn: icebox, coturn, pion/turn, icebox and
// so on. It takes 20 s a round, and measures once whatever b.N.
func BenchmarkTurn(b *testing.B) {
	raiseFiles(b, uint64(warmUp+max(*allocations+single, manyHeld)+spare))
	lab := natlab.New(b)
	field := &field{
		server: lab.Host("server", "198.51.100.10"),
		client: lab.Host("client", "203.0.113.20"),
	}
	field.arrange(b, pin.or(true))
	list := contenders(b)
	all := newReport(list)
	b.ResetTimer()
	for round := range *rounds {
		for _, c := range list {
			m := field.measure(b, c)
			all.add(c.name, m)
			b.Logf("round %d, %s: %s", round+1, c.name, m)
		}
	}
	b.StopTimer()
	b.ReportMetric(0, "ns/op")
	all.print(os.Stdout)
	if *jsonFile != "" {
		if err := writeJSON(*jsonFile, all); err != nil {
			b.Fatal(err)
		}
	}
}

// measure starts a contender twice: for speed, and afresh for memory.
func (f *field) measure(b *testing.B, c contender) measurement {
	b.Helper()
	var m measurement
	f.with(b, c, func(pid int) error { return f.speed(pid, &m) })
	f.with(b, c, func(pid int) error { return f.memory(pid, &m) })
	return m
}

// speed measures sessions a second with many requests on their way, and the
// time of a signed Allocate with one.
func (f *field) speed(pid int, m *measurement) error {
	l, err := f.load(warmUp + *allocations + single)
	if err != nil {
		return err
	}
	defer l.close()
	open, err := files(pid)
	if err != nil {
		return err
	}
	open += spareFiles
	if _, err := l.run(job{count: warmUp, window: *window}); err != nil {
		return err
	}
	if err := letGo(pid, open); err != nil {
		return err
	}
	before, err := cpuTime(pid)
	if err != nil {
		return err
	}
	many, err := l.run(job{first: warmUp, count: *allocations, window: *window})
	if err != nil {
		return err
	}
	answered := time.Now()
	if err := letGo(pid, open); err != nil {
		return err
	}
	m.LetGo = time.Since(answered).Seconds()
	after, err := cpuTime(pid) // what a server puts off counts too
	if err != nil {
		return err
	}
	one, err := l.run(job{first: warmUp + *allocations, count: single, window: 1, latency: true})
	if err != nil {
		return err
	}
	m.setSpeed(*allocations, many, one, after-before)
	return nil
}

// letGo waits until a server has no more than that many files open.
func letGo(pid, open int) error {
	for deadline := time.Now().Add(putOff); ; time.Sleep(10 * time.Millisecond) {
		now, err := files(pid)
		if err != nil || now <= open {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d files are open %v after the last session ended, %d were before", now, putOff, open)
		}
	}
}

// memory measures what sessions take that are there and idle.
func (f *field) memory(pid int, m *measurement) error {
	l, err := f.load(warmUp + manyHeld)
	if err != nil {
		return err
	}
	defer l.close()
	if _, err := l.run(job{count: warmUp, window: *window}); err != nil {
		return err
	}
	var size [3]int64
	for i, j := range []job{{}, {first: warmUp, count: fewHeld}, {first: warmUp + fewHeld, count: manyHeld - fewHeld}} {
		if j.count > 0 {
			j.hold, j.window = true, *window
			if _, err := l.run(j); err != nil {
				return err
			}
		}
		time.Sleep(settle)
		if size[i], err = memory(pid); err != nil {
			return err
		}
	}
	m.Idle = float64(size[0])
	m.MemoryFew = float64(size[1]-size[0]) / fewHeld
	m.MemoryMany = float64(size[2]-size[0]) / manyHeld
	return nil
}

// load opens that many sockets on the client, from its first port.
func (f *field) load(sockets int) (*load, error) {
	return f.loadFrom(0, unix.SOCK_DGRAM, sockets)
}

// loadFrom opens sockets of that type, so many ports above the first.
func (f *field) loadFrom(above, socket, sockets int) (l *load, err error) {
	err = f.client.Do(func() error {
		l, err = newLoad(socket, f.client.Addr(), firstPort+above, sockets, netip.AddrPortFrom(f.server.Addr(), 3478),
			newMessages(userName, realm, password), place{cpu: f.clientCPU})
		return err
	})
	return l, err
}

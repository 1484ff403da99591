package bench

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icebox/natlab"
)

var (
	rounds      = flag.Int("rounds", 5, "how often each server has its turn")
	allocations = flag.Int("allocations", 16000, "sessions of one measurement of speed, up to 40000")
	window      = flag.Int("window", 64, "requests on their way at a time")
	pin         = flag.Bool("pin", true, "server and load on one CPU each")
	realtime    = flag.Bool("realtime", true, "server and load go before everything else on the machine, where that is allowed")
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
	raiseFiles(b)
	lab := natlab.New(b)
	field := &field{
		server: lab.Host("server", "198.51.100.10"),
		client: lab.Host("client", "203.0.113.20"),
	}
	field.serverCPU, field.clientCPU = -1, -1
	if cpus := usable(); *pin && len(cpus) >= 2 {
		field.clientCPU, field.serverCPU = cpus[0], cpus[1]
	}
	if *realtime && !mayGoFirst() {
		b.Log("not allowed to go before everything else: what runs beside is in the numbers")
		*realtime = false
	}
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
		if err := all.write(*jsonFile); err != nil {
			b.Fatal(err)
		}
	}
}

// field is where servers are measured: two hosts with a router in between.
type field struct {
	server, client       *natlab.Host
	serverCPU, clientCPU int // below 0: any
}

// measure starts a contender twice: for speed, and afresh for memory.
func (f *field) measure(b *testing.B, c contender) measurement {
	b.Helper()
	var m measurement
	f.with(b, c, func(pid int) error { return f.speed(pid, &m) })
	f.with(b, c, func(pid int) error { return f.memory(pid, &m) })
	return m
}

// with runs a contender, calls use with its process ID, and ends it.
func (f *field) with(b *testing.B, c contender, use func(pid int) error) {
	b.Helper()
	address := netip.AddrPortFrom(f.server.Addr(), 3478)
	dir := b.TempDir()
	args, env, err := c.command(address, dir)
	if err != nil {
		b.Fatalf("%s: %v", c.name, err)
	}
	if *realtime {
		args = append([]string{"chrt", "--fifo", "1"}, args...)
	}
	if f.serverCPU >= 0 {
		args = append([]string{"taskset", "-c", strconv.Itoa(f.serverCPU)}, args...)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	cmd := f.server.Command(context.Background(), args[0], args[1:]...)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		b.Fatalf("%s: %v", c.name, err)
	}
	defer end(cmd)
	if err := f.awaitReady(address); err != nil {
		b.Fatalf("%s: %v\n%s", c.name, err, tail(log.Name()))
	}
	if err := use(cmd.Process.Pid); err != nil {
		b.Fatalf("%s: %v\n%s", c.name, err, tail(log.Name()))
	}
}

// end kills a server: how it ends is not what is measured.
func end(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
}

func tail(name string) []byte {
	text, _ := os.ReadFile(name)
	return text[max(0, len(text)-4000):]
}

// awaitReady asks for a session without credentials until there is an answer.
func (f *field) awaitReady(address netip.AddrPort) error {
	conn, err := f.client.Dial(context.Background(), "udp4", address.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	m, buf := newMessages(userName, realm, password), make([]byte, 1500)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		conn.Write(m.ask(nil))
		conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, err := conn.Read(buf); err == nil {
			return nil
		} else if e, ok := err.(net.Error); !ok || !e.Timeout() {
			time.Sleep(50 * time.Millisecond)
		}
	}
	return fmt.Errorf("no answer within 20 s")
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

// load opens that many sockets on the client.
func (f *field) load(sockets int) (l *load, err error) {
	err = f.client.Do(func() error {
		l, err = newLoad(f.client.Addr(), firstPort, sockets, netip.AddrPortFrom(f.server.Addr(), 3478),
			newMessages(userName, realm, password), place{f.clientCPU, *realtime})
		return err
	})
	return l, err
}

// usable are the CPUs that this process may run on.
func usable() []int {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return nil
	}
	var list []int
	for cpu := range max(runtime.NumCPU(), 1024) {
		if set.IsSet(cpu) {
			list = append(list, cpu)
		}
	}
	return list
}

// raiseFiles lets this process, and the servers after it, open enough files.
func raiseFiles(b *testing.B) {
	b.Helper()
	need := uint64(warmUp + max(*allocations+single, manyHeld) + spare)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		b.Fatal(err)
	}
	limit.Max = max(limit.Max, need)
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		b.Skipf("needs %d open files (ulimit -n): %v", need, err)
	}
}

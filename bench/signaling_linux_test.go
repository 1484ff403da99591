package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"text/tabwriter"
	"time"
)

var (
	idleSockets = flag.Int("sockets", 10000, "idle sockets of BenchmarkSignaling")
	turns       = flag.Int("turns", 5, "how often each server of BenchmarkSignaling has its turn")
)

// hall is one signaling server that is measured.
type hall struct {
	name    string
	rooms   bool // it is icebox with rooms: ids, and messages to one
	command func(address, dir string) ([]string, error)
}

// BenchmarkSignaling measures signaling servers in turn: rooms of icebox, its
// seed's relay, the seed's server and a hub of gorilla/websocket. It needs 20,000
// open files at the most, on loopback alone, and measures once whatever b.N.
func BenchmarkSignaling(b *testing.B) {
	raiseFiles(b, 2*uint64(*idleSockets)+spare)
	list := halls(b)
	results := make([][]heard, len(list))
	b.ResetTimer()
	for turn := range *turns {
		for i, h := range list {
			m := measureHall(b, h)
			results[i] = append(results[i], m)
			b.Logf("turn %d, %s: %+v", turn+1, h.name, m)
		}
	}
	b.StopTimer()
	b.ReportMetric(0, "ns/op")
	printHalls(list, results)
	if *jsonFile != "" {
		if err := writeHalls(list, results); err != nil {
			b.Fatal(err)
		}
	}
}

func halls(b *testing.B) []hall {
	box := build(b, "icebox", "icebox/cmd/icebox")
	seed := build(b, "seedserver", "icebox/bench/seedserver")
	hub := build(b, "gorillahub", "icebox/bench/gorillahub")
	ours := func(address, dir string) ([]string, error) {
		file := filepath.Join(dir, "config.yaml")
		err := os.WriteFile(file, []byte(signalingConfig(address)), 0o600)
		return []string{box, "serve", "-c", file}, err
	}
	plain := func(program string) func(address, dir string) ([]string, error) {
		return func(address, dir string) ([]string, error) {
			return []string{program, "-listen", address, "-cert", filepath.Join(dir, "cert"), "-key", filepath.Join(dir, "key")}, nil
		}
	}
	return []hall{
		{"icebox", true, ours},
		{"icebox, seed's relay", false, ours},
		{"the seed's server", false, plain(seed)},
		{"gorilla hub", false, plain(hub)},
	}
}

// signalingConfig lifts every limit that stands in the way of a crowd on one
// address. Everything else is at its default.
func signalingConfig(address string) string {
	return fmt.Sprintf(`turn: {listen: [{network: udp, address: "127.0.0.1:0"}]}
signaling:
  listen: %q
  access: open
  max_peers: 1000
  max_connections: 100000
  connections_per_address: 100000
  messages: {rate: 1000000, burst: 1000000}
tls: {cert: cert, key: key}
admin: {listen: ""}
log: {level: warn}
`, address)
}

// heard is what one turn of one server has shown. Times are in microseconds.
type heard struct {
	Idle      float64 `json:"bytes_per_idle_socket"` // Pss more, a socket
	Single    float64 `json:"broadcast_one_at_a_time_deliveries_per_cpu_second"`
	Broadcast float64 `json:"broadcast_deliveries_per_cpu_second"` // in bursts of 8
	Targeted  float64 `json:"targeted_deliveries_per_cpu_second"`  // those that reach whom they are for
	Calm      float64 `json:"p99_us"`
	Stalled   float64 `json:"p99_us_one_stalled"`
	Joining   float64 `json:"p99_us_1000_joining"`
	Ratio     float64 `json:"stalled_by_calm"`
}

// How delays are measured: messages of delaySize bytes, delayRounds times
// delayCount of them without and as many with one who is stalled.
const (
	delaySize   = 4000
	delayCount  = 1500
	delayRounds = 4
	standstill  = 2 * time.Second // with a message, before nothing comes any more
)

// stage is a running server.
type stage struct {
	hall
	address string
	pid     int
}

func measureHall(b *testing.B, h hall) heard {
	b.Helper()
	var m heard
	for _, part := range []func(*stage, *heard) error{(*stage).idle, (*stage).deliveries, (*stage).delays} {
		if err := withStage(b, h, func(s *stage) error { return part(s, &m) }); err != nil {
			b.Fatalf("%s: %v", h.name, err)
		}
	}
	return m
}

// withStage starts a server, calls use, and ends it.
func withStage(b *testing.B, h hall, use func(*stage) error) error {
	dir := b.TempDir()
	writeCertificate(b, dir)
	address := freeAddress(b)
	args, err := h.command(address, dir)
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(context.Background(), args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	defer end(cmd)
	s := &stage{h, address, cmd.Process.Pid}
	if err := s.awaitReady(); err != nil {
		return fmt.Errorf("%w\n%s", err, tail(log.Name()))
	}
	if err := use(s); err != nil {
		return fmt.Errorf("%w\n%s", err, tail(log.Name()))
	}
	return nil
}

func (s *stage) awaitReady() error {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		v, err := s.call(s.at("ready"), false)
		if err == nil {
			leave([]*visitor{v})
			return nil
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}

// at is the path of a room, or where there are none the one that there is.
func (s *stage) at(room string) string {
	if s.rooms {
		return "/ws/" + room
	}
	return "/"
}

// idle measures what a socket takes that is there and silent, two to a room. The
// heap is given time to settle: what counts is what stays.
func (s *stage) idle(m *heard) error {
	warm, err := s.crowd(200, func(i int) string { return s.at(fmt.Sprintf("warm%d", i/2)) })
	defer leave(warm)
	if err != nil {
		return err
	}
	time.Sleep(settle)
	before, err := memory(s.pid)
	if err != nil {
		return err
	}
	all, err := s.crowd(*idleSockets, func(i int) string { return s.at(fmt.Sprintf("idle%d", i/2)) })
	defer leave(all)
	if err != nil {
		return err
	}
	time.Sleep(5 * time.Second)
	after, err := memory(s.pid)
	m.Idle = float64(after-before) / float64(*idleSockets)
	return err
}

// deliveries measures what a second of the server's CPU delivers: messages of 200
// bytes to 100 others, and to one of 100.
func (s *stage) deliveries(m *heard) error {
	all, err := s.gather(101, s.at("crowd"))
	defer leave(all)
	if err != nil {
		return err
	}
	const count, window = 1600, 8
	if err := flood(all, 200, 10*window, window); err != nil { // warm
		return err
	}
	cpu, err := s.spent(func() error { return flood(all, 200, count, 1) })
	if err != nil {
		return err
	}
	m.Single = count * 100 / cpu.Seconds()
	cpu, err = s.spent(func() error { return flood(all, 200, count, window) })
	if err != nil {
		return err
	}
	m.Broadcast = count * 100 / cpu.Seconds()
	cpu, err = s.spent(func() error { return s.whisper(all, count) })
	m.Targeted = count / cpu.Seconds()
	return err
}

// whisper sends count messages, each for one of the others. Where there is no
// sending to one, all get it, as the seed's pages do it.
func (s *stage) whisper(all []*visitor, count int) error {
	if !s.rooms {
		return flood(all, 200, count, 8)
	}
	for i := range count / 8 {
		to := all[1+i%100]
		for range 8 {
			if err := all[0].WriteMessage(1, text(200, to.id)); err != nil {
				return err
			}
		}
		if err := to.hear(8); err != nil {
			return err
		}
	}
	return nil
}

// spent is the CPU time that the server has used while f ran.
func (s *stage) spent(f func() error) (time.Duration, error) {
	before, err := cpuTime(s.pid)
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := cpuTime(s.pid)
	return after - before, err
}

// delays measures how long a message takes to reach the last of eight others: with
// nothing else going on and with one more who does not read, a while of each in
// turn, and while 1,000 connect.
func (s *stage) delays(m *heard) error {
	all, err := s.gather(9, s.at("talk"))
	defer leave(all)
	if err != nil {
		return err
	}
	converse(all, delaySize, 300, 0) // warm
	joining := make(chan error, 1)
	go func() { joining <- s.comeAndGo(1000) }()
	busy := converse(all, delaySize, 500, time.Millisecond)
	if err := <-joining; err != nil {
		return err
	}
	time.Sleep(settle)
	var calm, stalled []time.Duration
	for range delayRounds {
		calm = append(calm, converse(all, delaySize, delayCount, 0)...)
		more, err := s.besideStalled(all)
		if err != nil {
			return err
		}
		if stalled = append(stalled, more...); len(more) < delayCount {
			break // nothing comes through any more
		}
	}
	m.Calm, m.Stalled, m.Joining = quantile(calm, 0.99), quantile(stalled, 0.99), quantile(busy, 0.99)
	if len(stalled) < delayRounds*delayCount {
		m.Stalled = float64(standstill.Microseconds())
	}
	m.Ratio = m.Stalled / m.Calm
	return nil
}

// besideStalled is converse with one more in the room, who does not read and whose
// kernel takes little. Of the 6 MB for it the server's kernel keeps 4 at the most.
func (s *stage) besideStalled(all []*visitor) ([]time.Duration, error) {
	asleep, err := s.call(s.at("talk"), true)
	if err != nil {
		return nil, err
	}
	defer leave([]*visitor{asleep})
	return converse(all, delaySize, delayCount, 0), nil
}

// comeAndGo connects n visitors and lets each go again: where there is one place
// for all, they would have to read what is said there.
func (s *stage) comeAndGo(n int) error {
	for i := range n / 50 {
		crowd, err := s.crowd(50, func(k int) string { return s.at(fmt.Sprintf("join%d", 25*i+k/2)) })
		leave(crowd)
		if err != nil {
			return err
		}
	}
	return nil
}

// freeAddress is one of loopback that nobody listens on.
func freeAddress(b *testing.B) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// writeCertificate makes the certificate that every server shows.
func writeCertificate(b *testing.B, dir string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		b.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		b.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert": {Type: "CERTIFICATE", Bytes: der}, "key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			b.Fatal(err)
		}
	}
}

// hallRows are the lines of the table.
var hallRows = []struct {
	name, format string
	unit         float64
	field        func(heard) float64
}{
	{"KB an idle socket", "%.1f", 1000, func(m heard) float64 { return m.Idle }},
	{"broadcast deliveries a second of CPU", "%.0f", 1, func(m heard) float64 { return m.Broadcast }},
	{"the same, one message at a time", "%.0f", 1, func(m heard) float64 { return m.Single }},
	{"deliveries to one a second of CPU", "%.0f", 1, func(m heard) float64 { return m.Targeted }},
	{"p99 us", "%.0f", 1, func(m heard) float64 { return m.Calm }},
	{"p99 us, one stalled", "%.0f", 1, func(m heard) float64 { return m.Stalled }},
	{"one stalled by none", "%.2f", 1, func(m heard) float64 { return m.Ratio }},
	{"p99 us, 1,000 joining", "%.0f", 1, func(m heard) float64 { return m.Joining }},
}

// printHalls writes the medians, and those of icebox by those of the others.
func printHalls(list []hall, results [][]heard) {
	fmt.Printf("\n%s, %s; medians of %d turns\n\n", time.Now().UTC().Format(time.RFC3339), machine(), *turns)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer w.Flush()
	for _, h := range list {
		fmt.Fprintf(w, "\t%s", h.name)
	}
	fmt.Fprintln(w, "\ticebox / seed\t")
	for _, row := range hallRows {
		fmt.Fprint(w, row.name)
		medians := make([]float64, len(list))
		for i := range list {
			var values []float64
			for _, m := range results[i] {
				values = append(values, row.field(m))
			}
			medians[i] = median(values)
			fmt.Fprintf(w, "\t"+row.format, medians[i]/row.unit)
		}
		fmt.Fprintf(w, "\t%.2f\t\n", medians[0]/medians[2])
	}
}

// writeHalls puts every turn into the file of -json.
func writeHalls(list []hall, results [][]heard) error {
	all := map[string]any{"time": time.Now().UTC().Format(time.RFC3339), "machine": machine()}
	for i, h := range list {
		all[h.name] = results[i]
	}
	out, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(*jsonFile, append(out, '\n'), 0o644)
}

//go:build linux

package conformance

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// vitals are what an attack must leave as it was.
type vitals struct {
	descriptors int
	goroutines  int
	logLines    int
}

func (b *box) vitals(t testing.TB) vitals {
	t.Helper()
	return vitals{
		descriptors: b.descriptors(t),
		goroutines:  int(b.metric(t, "go_goroutines")),
		logLines:    b.complaints(),
	}
}

// complaints are the lines of the log, without those that say that a session
// has begun or ended.
func (b *box) complaints() int {
	n := 0
	for line := range strings.Lines(b.log()) {
		if !strings.Contains(line, `"session":`) {
			n++
		}
	}
	return n
}

func (b *box) descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", b.process.Process.Pid))
	if err != nil {
		t.Fatalf("the box's descriptors: %v", err)
	}
	return len(entries)
}

// memory is the resident set in bytes.
func (b *box) memory(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", b.process.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, _ := strconv.Atoi(strings.Fields(string(text))[1])
	return pages * os.Getpagesize()
}

// ticks are the hundredths of a second of CPU that the process has used.
func (b *box) ticks(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", b.process.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	// Fields 14 and 15, counted from 1; the second is in parentheses.
	rest := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.Atoi(rest[14-3])
	system, _ := strconv.Atoi(rest[15-3])
	return user + system
}

// metrics are the samples of the admin listener, by name; those that differ in
// their labels only are added up.
func (b *box) metrics(t testing.TB) map[string]float64 {
	t.Helper()
	sums := make(map[string]float64)
	for line := range strings.Lines(b.samples(t)) {
		if name, value, ok := cutSample(strings.TrimSpace(line)); ok {
			sums[name] += value
		}
	}
	return sums
}

// samples are the metrics as the admin listener gives them.
func (b *box) samples(t testing.TB) string {
	t.Helper()
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return b.host.Dial(ctx, network, address)
		},
	}
	client := http.Client{Transport: transport, Timeout: patience}
	answer, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", b.adminPort()))
	if err != nil {
		t.Fatalf("the box's metrics: %v", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("the box's metrics: %v", err)
	}
	return string(text)
}

func cutSample(line string) (name string, value float64, ok bool) {
	at := strings.LastIndexByte(line, ' ')
	if at < 0 || strings.HasPrefix(line, "#") {
		return "", 0, false
	}
	name, _, _ = strings.Cut(line[:at], "{")
	value, err := strconv.ParseFloat(line[at+1:], 64)
	return name, value, err == nil
}

func (b *box) metric(t testing.TB, name string) float64 {
	t.Helper()
	value, ok := b.metrics(t)[name]
	if !ok {
		t.Errorf("the box has no metric %s", name)
	}
	return value
}

// logBudget is how many lines an attack of any size may add to the log.
const logBudget = 20

// wantUnhurt: the box serves over UDP and TCP, is idle, has let go of what it
// held, and has not filled its log.
func (b *box) wantUnhurt(t testing.TB, w *world, before vitals) {
	t.Helper()
	if !b.running() {
		t.Fatalf("the box is gone: %v; its log:\n%s", b.process.ProcessState, tail(b.log(), 4000))
	}
	for _, tr := range []transport{udp, tcp} {
		s := &scene{world: w, box: b, transport: tr}
		eventually(t, "served again over "+tr.name, func() bool { return s.serves(t) })
	}
	b.wantIdle(t)
	eventually(t, "descriptors and goroutines back to the start", func() bool {
		now := b.vitals(t)
		return now.descriptors <= before.descriptors+2 && now.goroutines <= before.goroutines+4
	})
	now := b.vitals(t)
	t.Logf("before %+v, after %+v, %d MB", before, now, b.memory(t)>>20)
	if lines := now.logLines - before.logLines; lines > logBudget {
		t.Errorf("%d lines in the log, the last:\n%s", lines, tail(b.log(), 1000))
	}
}

// serves says whether a whole session can be had on a new 5-tuple.
func (s *scene) serves(t testing.TB) bool {
	conn, err := s.connect(clientAddress(clientAddresses-1, s.ipv6))
	if err != nil {
		return false
	}
	c := &client{link: newLink(conn, s.stream), t: t, user: alice}
	defer c.close()
	m := build(allocate, request, transportUDP())
	if c.send(m.raw) != nil {
		return false
	}
	challenge := c.answerTo(m.id, time.Second)
	if challenge == nil || challenge.code() != 401 {
		return false
	}
	c.nonce = string(challenge.value(attrNonce))
	m = build(allocate, request, transportUDP(), c.signed())
	if c.send(m.raw) != nil {
		return false
	}
	defer c.release()
	a := c.answerTo(m.id, time.Second)
	return a != nil && a.class == success
}

// wantIdle: with nothing to do the process uses no CPU worth the name.
func (b *box) wantIdle(t testing.TB) {
	t.Helper()
	var used int
	for range 5 { // what is left of the attack may still be worked off
		before := b.ticks(t)
		time.Sleep(500 * time.Millisecond)
		if used = b.ticks(t) - before; used <= 5 {
			return
		}
	}
	t.Errorf("an idle box used %d of 50 ticks of CPU", used)
}

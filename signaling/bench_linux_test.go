package signaling

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// BenchmarkIdle prints what an idle TLS socket takes of the server's memory: the
// heap and the stacks in use, and the resident set of the process.
func BenchmarkIdle(b *testing.B) {
	for b.Loop() {
		const n = 2000
		s, url := benchServer(b)
		heap, rss := memory(b)
		startPeers(b, plan{URL: url, Peers: n})
		waitFor(b, "the sockets", func() bool { return s.gate.sockets() == n })
		heap2, rss2 := memory(b)
		b.ReportMetric(float64(heap2-heap)/n, "B/socket")
		b.ReportMetric(float64(rss2-rss)/n, "rss-B/socket")
	}
}

// BenchmarkBroadcast prints how many deliveries a second of the server's CPU
// pays for, with messages of one at a time and in bursts.
func BenchmarkBroadcast(b *testing.B) {
	for _, window := range []int{1, 32} {
		b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) {
			_, url := benchServer(b)
			measureFlood(b, plan{URL: url, Peers: 101, Size: 200, Rounds: 1600 / window, Window: window})
		})
	}
}

// BenchmarkBaseline is the same for the least that can be: one goroutine that
// writes a ready frame to every connection.
func BenchmarkBaseline(b *testing.B) {
	for _, window := range []int{1, 32} {
		b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) {
			srv := httptest.NewUnstartedServer(http.HandlerFunc(new(baseline).serve))
			srv.StartTLS()
			defer srv.Close()
			url := "wss" + strings.TrimPrefix(srv.URL, "https")
			measureFlood(b, plan{URL: url, Peers: 101, Size: 200, Rounds: 1600 / window, Window: window})
		})
	}
}

func measureFlood(b *testing.B, p plan) {
	ps := startPeers(b, p)
	var cpu time.Duration
	deliveries := 0
	for b.Loop() {
		before := cpuTime(b)
		ps.run()
		cpu += cpuTime(b) - before
		deliveries += (p.Peers - 1) * p.Rounds * p.Window
	}
	b.ReportMetric(float64(deliveries)/cpu.Seconds(), "deliveries/cpu-s")
}

func benchServer(b *testing.B) (*Server, string) {
	cfg := testConfig()
	cfg.Signaling.Messages.Rate = 1e9
	cfg.Signaling.Messages.Burst = 1e9
	t := defaultTuning()
	t.ping = time.Hour // the peers count bytes
	return serve(b, newServer(cfg, quiet(), t))
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memory is the heap and stacks in use, and the resident set.
func memory(b *testing.B) (inUse, rss int64) {
	time.Sleep(300 * time.Millisecond)
	for range 4 { // each collection may halve a stack once
		runtime.GC()
	}
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(after, &rss); err != nil {
		b.Fatal(err)
	}
	return int64(m.HeapAlloc + m.StackInuse), rss << 10
}

// baseline is the least that a broadcast can be: see BenchmarkBaseline.
type baseline struct {
	mu    sync.Mutex // guards conns
	conns []*websocket.Conn
}

func (bl *baseline) serve(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	bl.mu.Lock()
	c, err := up.Upgrade(w, r, nil)
	if err != nil {
		bl.mu.Unlock()
		return
	}
	defer c.Close()
	bl.conns = append(bl.conns, c)
	bl.mu.Unlock()
	for {
		_, text, err := c.ReadMessage()
		if err != nil {
			return
		}
		f := newFrame(websocket.TextMessage, text)
		bl.mu.Lock()
		for _, other := range bl.conns {
			if other != c {
				other.NetConn().Write(f.wire)
			}
		}
		bl.mu.Unlock()
	}
}

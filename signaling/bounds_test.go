package signaling

import (
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

func farFuture() time.Time { return time.Now().Add(patience) }

// innermost is the TCP connection under TLS.
func innermost(p *peer) *net.TCPConn {
	return p.NetConn().(interface{ NetConn() net.Conn }).NetConn().(*net.TCPConn)
}

func TestBadFrames(t *testing.T) {
	fragments := func(n int, payload string) []byte {
		b := clientFrame(0x01, uint64(len(payload)), payload)
		for range n - 1 {
			b = append(b, clientFrame(0x00, uint64(len(payload)), payload)...)
		}
		return b
	}
	table := []struct {
		name  string
		bytes []byte
		no    *refusal
	}{
		{"length 2^63-1", clientFrame(0x81, 1<<63-1, "x"), refuseTooBig},
		{"length 2^64-1", clientFrame(0x81, 1<<64-1, "x"), refuseTooBig},
		{"one byte over", clientFrame(0x81, 65537, ""), refuseTooBig},
		{"ten thousand fragments", fragments(10000, "1234567"), refuseTooBig},
		{"fragments that sum up over 2^63", append(clientFrame(0x01, 1, "x"), clientFrame(0x00, 1<<63-1, "x")...), refuseTooBig},
		{"empty fragments without end", fragments(40000, ""), refuseTooBig},
		{"compressed", clientFrame(0xc1, 3, "abc"), refuseBadFrame},
		{"RSV2", clientFrame(0xa1, 3, "abc"), refuseBadFrame},
		{"reserved opcode", clientFrame(0x83, 3, "abc"), refuseBadFrame},
		{"reserved control opcode", clientFrame(0x8b, 3, "abc"), refuseBadFrame},
		{"continuation of nothing", clientFrame(0x80, 3, "abc"), refuseBadFrame},
		{"text in a text", append(clientFrame(0x01, 1, "a"), clientFrame(0x81, 1, "b")...), refuseBadFrame},
		{"long ping", clientFrame(0x89, 126, strings.Repeat("p", 126)), refuseBadFrame},
		{"fragmented ping", clientFrame(0x09, 1, "p"), refuseBadFrame},
		{"no mask", []byte{0x81, 3, 'a', 'b', 'c'}, refuseBadFrame},
		{"impossible close code", clientFrame(0x88, 2, "\x03\xed"), refuseBadFrame},
		{"binary", clientFrame(0x82, 3, "abc"), refuseBinary},
		{"fragmented binary", append(clientFrame(0x02, 1, "a"), clientFrame(0x80, 1, "b")...), refuseBinary},
		{"broken UTF-8", clientFrame(0x81, 3, "a\xffb"), refuseNotUTF8},
		{"half a surrogate pair", clientFrame(0x81, 3, "\xed\xa0\x80"), refuseNotUTF8},
	}
	s, url := start(t, testConfig())
	a, b := dial(t, url), dial(t, url)
	for _, row := range table {
		t.Run(row.name, func(t *testing.T) {
			before := refused(s, row.no)
			p := dial(t, url)
			p.raw(row.bytes)
			p.expectClose(row.no.code)
			if n := refused(s, row.no) - before; n != 1 {
				t.Errorf("%s was counted %d times", row.no.reason, n)
			}
			a.expectNothing(b)
		})
	}
}

func TestRateLimit(t *testing.T) {
	cfg := testConfig()
	cfg.Signaling.Messages.Rate, cfg.Signaling.Messages.Burst = 0.001, 20
	s, url := start(t, cfg)
	flood := map[string]func(p *peer) error{
		"messages": func(p *peer) error { return p.WriteMessage(websocket.TextMessage, []byte("x")) },
		"pings":    func(p *peer) error { return p.WriteControl(websocket.PingMessage, []byte("x"), farFuture()) },
		"pongs":    func(p *peer) error { return p.WriteControl(websocket.PongMessage, nil, farFuture()) },
	}
	for name, one := range flood {
		t.Run(name, func(t *testing.T) {
			p := dial(t, url)
			// Far more than the limit: the server must go on reading, or its kernel
			// resets the connection and the close frame may be lost.
			for i := range 500 {
				if err := one(p); err != nil {
					t.Fatalf("number %d: %v", i, err)
				}
			}
			p.expectClose(closeTooMany)
		})
	}
	if n := refused(s, refuseRate); n != 3 {
		t.Errorf("rate-limited was counted %d times, want 3", n)
	}
}

func TestRateLimitLetsTheBurstThrough(t *testing.T) {
	cfg := testConfig()
	cfg.Signaling.Messages.Rate, cfg.Signaling.Messages.Burst = 0.001, 20
	_, url := start(t, cfg)
	a, b := dial(t, url), dial(t, url)
	for i := range 20 {
		a.send(fmt.Sprint(i))
	}
	a.send("one too many")
	for i := range 20 {
		b.expect(fmt.Sprint(i))
	}
	a.expectClose(closeTooMany)
	dial(t, url).send("the last")
	b.expect("the last")
}

// startPatient starts a server without limits whose last words wait for a stalled
// peer for longer than the tests need on a busy machine.
func startPatient(t *testing.T) (*Server, string) {
	t.Helper()
	tn := defaultTuning()
	tn.write = time.Minute
	return serve(t, newServer(unlimited(), quiet(), tn))
}

// TestStalledReader: one that does not read is closed with 3008; the others get
// everything meanwhile, none of it late.
func TestStalledReader(t *testing.T) {
	const messages = 400 // of 64 KiB: more than the kernel and the queue hold
	s, url := startPatient(t)
	from, stalled := dial(t, url), dial(t, url)
	others := []*peer{dial(t, url), dial(t, url), dial(t, url)}

	filler := strings.Repeat("x", 65000)
	var late []time.Duration
	for i := range messages {
		text := fmt.Sprintf("%d %s", i, filler)
		begin := time.Now()
		from.send(text)
		var wg sync.WaitGroup
		for _, p := range others {
			wg.Go(func() { p.expect(text) })
		}
		wg.Wait()
		late = append(late, time.Since(begin))
		if t.Failed() {
			return
		}
	}
	if n := refused(s, refuseTooSlow); n != 1 {
		t.Fatalf("too-slow was counted %d times, want 1", n)
	}
	checkLate(t, late)
	stalled.expectClose(closeTooSlow) // it reads again
	waitFor(t, "the stalled socket to be gone", func() bool { return s.gate.sockets() == 4 })
}

// checkLate fails where one message in a hundred, or more, came late to those who read.
func checkLate(t *testing.T, late []time.Duration) {
	t.Helper()
	slices.Sort(late)
	p99 := late[len(late)*99/100]
	t.Logf("the others: p50 %v, p99 %v, at most %v", late[len(late)/2], p99, late[len(late)-1])
	if p99 > 500*time.Millisecond {
		t.Errorf("p99 of the others is %v", p99)
	}
}

// TestStalledPeer: the same in a room, where the stalled one may come back and can't,
// because more was sent than is kept.
func TestStalledPeer(t *testing.T) {
	const messages = 400
	s, url := startPatient(t)
	from, stalled := pair(t, url)
	others := []*guest{enter(t, url+"/ws/r"), enter(t, url+"/ws/r"), enter(t, url+"/ws/r")}
	for i, g := range others {
		for n := range len(others) - 1 - i {
			g.expectf(`{"seq":%d,"type":"peer-joined","id":"%s"}`, n+1, others[i+1+n].ID)
		}
	}
	filler := strings.Repeat("x", 65000)
	var late []time.Duration
	for i := range messages {
		text := fmt.Sprintf(`"type":"n","n":%d,"filler":"%s"`, i, filler)
		begin := time.Now()
		from.send("{" + text + "}")
		var wg sync.WaitGroup
		for n, g := range others {
			wg.Go(func() { g.expectf(`{"seq":%d,"from":"%s",%s}`, i+len(others)-n, from.ID, text) })
		}
		wg.Wait()
		late = append(late, time.Since(begin))
		if t.Failed() {
			return
		}
	}
	if n := refused(s, refuseTooSlow); n != 1 {
		t.Fatalf("too-slow was counted %d times, want 1", n)
	}
	checkLate(t, late)
	stalled.expectClose(closeTooSlow)
	dial(t, url+stalled.back(0)).expectEnd(refuseResume)
}

// TestTooSlowIsSaid: the error comes before the close, for who reads again in time.
func TestTooSlowIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(unlimited(), quiet())
		slow := welcomed(t, pipeTo(t, s, "/ws/r"))
		from := welcomed(t, pipeTo(t, s, "/ws/r"))
		for range 17 {
			from.send(`{"type":"n","filler":"` + strings.Repeat("x", 65000) + `"}`)
		}
		synctest.Wait()
		last := ""
		for {
			_, text, err := slow.read()
			if err != nil {
				break
			}
			last = string(text)
		}
		if !strings.Contains(last, `"code":"too-slow"`) {
			t.Errorf("the last message is %.100s", last)
		}
		from.NetConn().Close()
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		checkEmpty(t, s)
	})
}

// TestMemoryBudget: while much waits for all sockets, a single one may keep only
// little, but never less than one message.
func TestMemoryBudget(t *testing.T) {
	tn := defaultTuning()
	table := []struct{ queued, maxMessage, want int64 }{
		{0, 65536, 1 << 20},
		{tn.total, 65536, 1 << 20},
		{tn.total + 1, 65536, 65536 + maxEnvelope},
		{tn.total + 1, 1024, tn.spare},
		{0, 1 << 20, 4*(1<<20) + 4*maxEnvelope},
		{tn.total + 1, 1 << 20, 1<<20 + maxEnvelope},
	}
	for _, row := range table {
		if got := tn.queueBytes(row.queued, row.maxMessage); got != row.want {
			t.Errorf("queueBytes(%d, %d) = %d, want %d", row.queued, row.maxMessage, got, row.want)
		}
	}
	const largest = 70_000
	e, wrong := openEnvelope([]byte(`{"type":"` + strings.Repeat("x", largest-len(`{"type":""}`)) + `"}`))
	if wrong != nil {
		t.Fatal(wrong)
	}
	it := item{frame: relayed(newID(), e.inside), seq: math.MaxUint64}
	if n := int64(it.size()); n != largest+maxEnvelope {
		t.Errorf("a message of %d bytes is %d in a room, want %d", largest, n, largest+maxEnvelope)
	}
}

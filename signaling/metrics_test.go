package signaling

import (
	"bytes"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// figures gathers what s shows, by name and label.
func figures(t *testing.T, s *Server) map[string]float64 {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(s.Collector())
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.Metric {
			name := strings.TrimPrefix(f.GetName(), "icebox_signaling_")
			for _, l := range m.Label {
				name += " " + l.GetValue()
			}
			out[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return out
}

func TestMetrics(t *testing.T) {
	s, url := start(t, testConfig())
	a, b, c := dial(t, url), dial(t, url), dial(t, url+"/seed/x")
	a.send("hello")
	b.expect("hello")
	b.send("hi")
	a.expect("hi")
	status(t, url+"/seed/no.room", nil)
	want := map[string]float64{
		"sockets": 3, "rooms": 2, "queued_bytes": 0, "sockets_total": 3,
		"messages_total in": 2, "messages_total out": 2,
		"bytes_total in": 7, "bytes_total out": 11,
		"refusals_total bad-room": 1, "refusals_total too-slow": 0,
	}
	waitFor(t, "all to be counted", func() bool { return s.stats.messagesOut.Load() == 2 && s.stats.joined.Load() == 3 })
	got := figures(t, s)
	for name, n := range want {
		if v, ok := got[name]; !ok || v != n {
			t.Errorf("%s is %v (there: %v), want %v", name, v, ok, n)
		}
	}
	c.Close()
	waitFor(t, "the room to vanish", func() bool { return figures(t, s)["rooms"] == 1 })
}

// TestEveryRefusalIsCounted: a reason that is missing from the list would panic
// where it is counted.
func TestEveryRefusalIsCounted(t *testing.T) {
	source, err := os.ReadFile("refusal.go")
	if err != nil {
		t.Fatal(err)
	}
	made := bytes.Count(source, []byte(" = &refusal{"))
	if n := len(refusals); n == 0 || n != made {
		t.Errorf("%d refusals are listed, %d are there", n, made)
	}
	if n := len(New(testConfig(), quiet()).stats.refusals); n != len(refusals) {
		t.Errorf("%d reasons for %d refusals: two share a name", n, len(refusals))
	}
}

// TestLog: at info nothing of a client is in the log; a cap that is full is, once.
func TestLog(t *testing.T) {
	var out lockedBuffer
	cfg := testConfig()
	cfg.Signaling.MaxConnections = 2
	cfg.Signaling.Origins = []string{"https://home.example"}
	s, url := serve(t, New(cfg, Options{Log: slog.New(slog.NewTextHandler(&out, nil))}))
	a, b := dial(t, url+"/seed/secretname"), dial(t, url+"/seed/secretname")
	a.send("secrettext")
	b.expect("secrettext")
	dial(t, url).expectClose(closeTooMany)
	dial(t, url).expectClose(closeTooMany)
	status(t, url+"/seed/no%0Aroom=secret?secretquery", nil)
	status(t, url, http.Header{"Origin": {"https://secretorigin.example"}})
	a.raw(clientFrame(0x82, 3, "abc"))
	a.expectClose(refuseBinary.code)

	text := out.String()
	for _, word := range []string{"secret", "127.0.0.1", "::1"} {
		if strings.Contains(text, word) {
			t.Errorf("%q is in the log:\n%s", word, text)
		}
	}
	if n := strings.Count(text, "signaling is full"); n != 1 {
		t.Errorf("the full cap is in the log %d times:\n%s", n, text)
	}
	if n := refused(s, refuseMaxConnections); n != 2 {
		t.Errorf("max-connections was counted %d times", n)
	}
}

// lockedBuffer is a log that is read while others may write to it.
type lockedBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

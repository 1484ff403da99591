package interop

import (
	"context"
	_ "embed"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-rod/rod"

	"icebox/e2e/browser"
	"icebox/internal/boxtest"
)

// call is how long Chromium may take for one call.
const call = 30 * time.Second

//go:embed testdata/relay.js
var relayJS string

//go:embed testdata/gather.js
var gatherJS string

// TestChromium lets two connections of a page, which may use relays alone, reach
// each other with what /api/ice gives to the page: over UDP, TCP, and TLS on the
// signaling port. The browser verifies certificates, since one that ignores their
// errors takes every turns: URL, and it trusts the authority of the test.
func TestChromium(t *testing.T) {
	w := newWorld(t)
	// For a lab has no DNS. TURN asks for names with a dot at their end.
	b := browser.StartVerifying(t, w.trusting(t), "--host-resolver-rules=MAP *.test* "+w.box.Addr().String())
	page := b.Open("https://" + boxName + ":3002/")
	for _, c := range []struct{ protocol, url string }{
		{"udp", "turn:" + boxName + ":3478?transport=udp"},
		{"tcp", "turn:" + boxName + ":3478?transport=tcp"},
		{"tls", "turns:" + boxName + ":3002?transport=tcp"},
	} {
		t.Run(c.protocol, func(t *testing.T) {
			var got struct {
				URLs      []string // of /api/ice, with credentials
				Protocols []string // from each end to its relay
				Bytes     int      // that came back
			}
			evaluate(t, page, &got, relayJS, user, password, c.url)
			if !slices.Contains(got.URLs, c.url) {
				t.Errorf("/api/ice gives %q, want %s there", got.URLs, c.url)
			}
			if !slices.Equal(got.Protocols, []string{c.protocol, c.protocol}) {
				t.Errorf("the relays are reached by %q, want %s", got.Protocols, c.protocol)
			}
			if got.Bytes != 49050 { // of 50 messages of 1, 41, 81... bytes
				t.Errorf("%d bytes came back, want 49050", got.Bytes)
			}
		})
	}
	t.Run("certificate of another", func(t *testing.T) {
		for host, want := range map[string]int{boxName: 1, "another.test": 0} {
			var relays int
			evaluate(t, page, &relays, gatherJS, user, password, "turns:"+host+":3002?transport=tcp")
			if relays != want {
				t.Errorf("%d relays by turns:%s, want %d", relays, host, want)
			}
		}
	})
}

// trusting makes browsers of the clients' host that trust the authority: it is in
// the database of certificates of a home directory that is theirs alone.
func (w *world) trusting(t *testing.T) browser.Command {
	t.Helper()
	certutil, err := exec.LookPath("certutil")
	if err != nil {
		boxtest.Lacks(t, "certutil (make deps)")
	}
	home := t.TempDir()
	database := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(database, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-N", "--empty-password"},
		{"-A", "-n", "authority", "-t", "C,,", "-i", w.authority.file},
	} {
		if out, err := exec.Command(certutil, append(args, "-d", "sql:"+database)...).CombinedOutput(); err != nil {
			t.Fatalf("certutil: %v\n%s", err, out)
		}
	}
	return func(ctx context.Context, name string, args ...string) *exec.Cmd {
		cmd := w.client.Command(ctx, name, args...)
		cmd.Env = append(cmd.Env, "HOME="+home)
		return cmd
	}
}

// evaluate calls a JavaScript function in the page and decodes what it returns.
func evaluate(t *testing.T, page *rod.Page, result any, function string, args ...any) {
	t.Helper()
	page = page.Timeout(call)
	defer page.CancelTimeout()
	object, err := page.Eval(function, args...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := object.Value.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, result); err != nil {
		t.Fatal(err)
	}
}

// TestSelfSigned: to a browser, which would refuse it, TURN over TLS with a
// certificate that nobody trusts is not offered.
func TestSelfSigned(t *testing.T) {
	w := newEmptyWorld(t)
	boxtest.Start(t, w.box, w.configuration(nil, "tls: {source: self-signed}"))
	request, err := http.NewRequest("GET", "https://"+w.box.Addr().String()+":3002/api/ice", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(user, password)
	answer, err := boxtest.HTTPS(w.client).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var ice struct {
		Servers []struct{ URLs []string } `json:"iceServers"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&ice); err != nil {
		t.Fatal(err)
	}
	var urls []string
	for _, server := range ice.Servers {
		urls = append(urls, server.URLs...)
	}
	want := []string{"stun:" + boxName + ":3478", "turn:" + boxName + ":3478?transport=udp", "turn:" + boxName + ":3478?transport=tcp"}
	if !slices.Equal(urls, want) {
		t.Errorf("%q, want %q", urls, want)
	}
}

package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Firefox is one headless Firefox with a profile of its own and one page. It is driven
// by Marionette: JSON over TCP, each message with its length before it.
type Firefox struct {
	t    testing.TB
	conn net.Conn
	from *bufio.Reader
	id   int
}

// preferences are for a browser that nobody looks at, with a made-up camera and
// microphone. Names are not asked of DNS, which a lab lacks: all are one address.
const preferences = `
user_pref("media.navigator.streams.fake", true);
user_pref("media.navigator.permission.disabled", true);
user_pref("network.dns.forceResolve", %q);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("app.update.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("services.settings.server", "data:,#none");
`

// StartFirefox starts a browser that takes every certificate and ends with the test, on
// the host that command and dial are of. All names are those of address.
func StartFirefox(t testing.TB, command Command, dial func(ctx context.Context, network, address string) (net.Conn, error), address string) *Firefox {
	t.Helper()
	program := findFirefox(t)
	profile := t.TempDir()
	if err := os.WriteFile(filepath.Join(profile, "user.js"), fmt.Appendf(nil, preferences, address), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := command(ctx, program, "--headless", "--no-remote", "--marionette", "--profile", profile)
	cmd.Env = append(cmd.Environ(), "HOME="+profile, "MOZ_CRASHREPORTER_DISABLE=1")
	log := newLog(t)
	cmd.Stderr = log.writer("firefox: ") // which all of its processes have: the profile is nobody's when it ends
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatalf("browser: %v", err)
	}
	f := &Firefox{t: t}
	t.Cleanup(func() {
		if f.conn != nil {
			f.conn.Close()
		}
		cancel()
		cmd.Wait() // it was killed
		log.close()
	})
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		conn, err := dial(ctx, "tcp", "127.0.0.1:2828")
		if err == nil {
			f.conn, f.from = conn, bufio.NewReader(conn)
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("browser: connecting: %v", err)
		}
	}
	f.conn.SetDeadline(time.Now().Add(patience))
	if _, err := f.read(); err != nil { // its greeting
		t.Fatalf("browser: %v", err)
	}
	if err := f.call(nil, "WebDriver:NewSession", map[string]any{"acceptInsecureCerts": true}); err != nil {
		t.Fatalf("browser: %v", err)
	}
	return f
}

func findFirefox(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"firefox-esr", "firefox"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("browser: needs firefox-esr")
	}
	t.Skip("browser: needs firefox-esr")
	return ""
}

// Open opens a page and waits until it has loaded.
func (f *Firefox) Open(url string) {
	f.t.Helper()
	if err := f.call(nil, "WebDriver:Navigate", map[string]any{"url": url}); err != nil {
		f.t.Fatalf("browser: opening %s: %v", url, err)
	}
}

// Evaluate calls a JavaScript function in the page and decodes what it returns.
func (f *Firefox) Evaluate(result any, function string, args ...any) error {
	if args == nil {
		args = []any{}
	}
	return f.call(result, "WebDriver:ExecuteScript", map[string]any{
		"script": "return (" + function + ")(...arguments)", "args": args, "sandbox": nil,
	})
}

// call carries out a command: [0, id, name, parameters], answered by [1, id, error, result].
func (f *Firefox) call(result any, name string, parameters any) error {
	f.conn.SetDeadline(time.Now().Add(patience))
	f.id++
	message, err := json.Marshal([]any{0, f.id, name, parameters})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f.conn, "%d:%s", len(message), message); err != nil {
		return err
	}
	text, err := f.read()
	if err != nil {
		return err
	}
	var failure *struct{ Message string }
	var value struct{ Value json.RawMessage }
	answer := []any{new(int), new(int), &failure, &value}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	if failure != nil {
		return fmt.Errorf("%s: %s", name, failure.Message)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(value.Value, result)
}

func (f *Firefox) read() ([]byte, error) {
	length, err := f.from.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil {
		return nil, err
	}
	message := make([]byte, n)
	_, err = io.ReadFull(f.from, message)
	return message, err
}

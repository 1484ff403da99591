// Package e2e calls with real browsers through the real program. Everybody is in
// a network namespace: the box behind a home router that forwards its ports, each
// browser behind a router of its own. The tests look at the pictures that are
// decoded, and at the way that ICE has chosen.
package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"icebox/natlab"
)

const (
	boxName   = "icebox.test"  // what browsers call it; see visitor
	boxPublic = "198.51.100.7" // the outer address of its router
	user      = "admin"
	password  = "123456"
)

// configuration is the config.yaml of the tests. The addresses of a lab are of
// the documentation ranges, which the peer policy denies by default.
const configuration = `
domain: ` + boxName + `
public: {source: static, ipv4: ` + boxPublic + `}
turn:
  users: [{name: ` + user + `, password: "` + password + `"}]
  peers: {allow: [203.0.113.0/24, 198.51.100.0/24]}
log: {level: debug, format: text}
`

// program is built once for all tests.
var program struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if program.dir != "" {
		os.RemoveAll(program.dir)
	}
	os.Exit(code)
}

// build gives the path of the program, with the race detector in it where the
// tests have it.
func build(t *testing.T) string {
	t.Helper()
	program.once.Do(func() {
		if program.dir, program.err = os.MkdirTemp("", "icebox-e2e-"); program.err != nil {
			return
		}
		args := []string{"build", "-o", program.dir}
		if raceDetector {
			args = append(args, "-race")
		}
		cmd := exec.Command("go", append(args, "./cmd/icebox")...)
		cmd.Dir = ".."
		if out, err := cmd.CombinedOutput(); err != nil {
			program.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if program.err != nil {
		t.Fatalf("building icebox: %v", program.err)
	}
	return filepath.Join(program.dir, "icebox")
}

// box is the program on a host. It can be killed and started again.
type box struct {
	t       *testing.T
	host    *natlab.Host
	program string
	config  string
	cmd     *exec.Cmd
	output  *output
}

// newBox starts a box with a fresh state directory that is stopped when the test
// ends, and must then end well.
func newBox(t *testing.T, host *natlab.Host) *box {
	t.Helper()
	b := &box{t: t, host: host, program: build(t), config: filepath.Join(t.TempDir(), "config.yaml"), output: &output{}}
	if err := os.WriteFile(b.config, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.report)
	b.start()
	t.Cleanup(b.stop)
	return b
}

// start starts the program and waits until it serves.
func (b *box) start() {
	b.t.Helper()
	b.cmd = b.host.Command(context.Background(), b.program, "serve", "-c", b.config)
	b.cmd.Stdout, b.cmd.Stderr = b.output, b.output
	if err := b.cmd.Start(); err != nil {
		b.t.Fatalf("starting the box: %v", err)
	}
	client := httpsFrom(b.host)
	eventually(b.t, 30*time.Second, "the box serves", func() error {
		return healthy(client, "https://127.0.0.1:3002/healthz")
	})
}

// kill is kill -9.
func (b *box) kill() {
	b.t.Helper()
	if err := b.cmd.Process.Kill(); err != nil {
		b.t.Fatalf("killing the box: %v", err)
	}
	b.cmd.Wait()
}

// stop stops the box at once. With the race detector in it, a race that it saw
// is another exit code too.
func (b *box) stop() {
	if err := b.cmd.Process.Signal(syscall.SIGINT); err != nil {
		b.t.Errorf("stopping the box: %v", err)
	}
	if err := b.cmd.Wait(); err != nil {
		b.t.Errorf("the box ended with %v", err)
	}
}

// report shows what the box has said where the test has failed.
func (b *box) report() {
	if b.t.Failed() {
		b.t.Logf("output of the box:\n%s", b.output)
	}
}

// output is a buffer for a process that runs.
type output struct {
	mu  sync.Mutex // guards all
	all bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.TrimSpace(o.all.String())
}

// httpsFrom is a client on a host that takes every certificate and keeps no
// connections.
func httpsFrom(host *natlab.Host) *http.Client {
	return &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{
		DialContext:       host.Dial,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
	}}
}

func healthy(client *http.Client, url string) error {
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

// eventually calls fn until it returns nil, and fails the test with its last
// error when that takes too long.
func eventually(t *testing.T, within time.Duration, what string, fn func() error) {
	t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		err := fn()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waiting for %v until %s: %v", within, what, err)
		}
	}
}

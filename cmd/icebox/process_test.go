package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// beIcebox in the environment of this test binary makes it the program itself:
// tests start it as a process of its own, race detector included.
const beIcebox = "BE_ICEBOX=1"

// selfEnv is what such a process needs in its environment; the race detector
// would make each end a second late.
func selfEnv() []string { return []string{beIcebox, "GORACE=atexit_sleep_ms=0"} }

func TestMain(m *testing.M) {
	if os.Getenv("BE_ICEBOX") == "1" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// patience is what a loaded machine may take for anything that should be quick.
const patience = 20 * time.Second

// loopbackConfig is a configuration that listens on loopback alone, on ports
// that the system chooses.
const loopbackConfig = `turn:
  listen:
    - {network: udp, address: "127.0.0.1:0"}
    - {network: tcp, address: "127.0.0.1:0"}
  users: [{name: admin, password: ""}]
signaling: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
`

// configDir makes a directory with this config.yaml.
func configDir(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	writeConfig(t, dir, text)
	return dir
}

func writeConfig(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// result is a command that has ended.
type result struct {
	code           int
	stdout, stderr string
}

// icebox runs one command in dir to its end.
func icebox(t *testing.T, dir string, args ...string) result {
	t.Helper()
	p := start(t, dir, args...)
	return p.wait(t)
}

// process is a running icebox.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr shared
	ended          chan struct{}
	err            error // of Wait; after ended is closed
}

// start runs icebox in dir. It is killed at the end of the test where it still
// runs then.
func start(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), selfEnv()...)
	return startCommand(t, dir, cmd)
}

func startCommand(t *testing.T, dir string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, ended: make(chan struct{})}
	cmd.Dir = dir
	if cmd.Stdout == nil {
		cmd.Stdout = &p.stdout
	}
	cmd.Stderr = &p.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("stdout:\n%s\nstderr:\n%s", p.stdout.String(), p.stderr.String())
		}
	})
	return p
}

// signal sends sig.
func (p *process) signal(t *testing.T, sig os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// wait waits for the end of the process.
func (p *process) wait(t *testing.T) result {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("still running after %v", patience)
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		t.Fatal(p.err)
	}
	return result{p.cmd.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String()}
}

// until waits for text to appear in what out holds, and returns all of that.
func (p *process) until(t *testing.T, out *shared, text string) string {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if now := out.String(); strings.Contains(now, text) {
			return now
		}
		select {
		case <-p.ended:
			t.Fatalf("ended without %q", text)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %q within %v", text, patience)
		}
	}
}

// serving starts icebox in dir and waits until it serves.
func serving(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p := start(t, dir, args...)
	p.until(t, &p.stdout, "icebox is serving.")
	return p
}

// shared is a buffer that one goroutine fills while others read it.
type shared struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// moduleRoot is the directory of go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the tests")
		}
		dir = parent
	}
}

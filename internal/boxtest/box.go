package boxtest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"icebox/natlab"
)

// Box is the program on a host. It can be killed and started again.
type Box struct {
	Host *natlab.Host

	t       testing.TB
	program string
	config  string
	environ []string // added to that of the test
	cmd     *exec.Cmd
	output  *output
}

// Start starts a box with this config.yaml, whose signaling.listen must be the
// default, and waits until it serves. It is stopped when the test ends, and must
// then end well. Lines of environ (KEY=value) are added to the environment.
func Start(t testing.TB, host *natlab.Host, configuration string, environ ...string) *Box {
	t.Helper()
	b := &Box{
		Host: host, t: t, program: Build(t),
		config:  filepath.Join(t.TempDir(), "config.yaml"),
		environ: environ, output: &output{},
	}
	if err := os.WriteFile(b.config, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.report)
	b.Start()
	t.Cleanup(b.stop)
	return b
}

// Start starts the program anew after Kill, and waits until it serves.
func (b *Box) Start() {
	b.t.Helper()
	b.cmd = b.Host.Command(context.Background(), b.program, "serve", "-c", b.config)
	b.cmd.Env = append(b.cmd.Env, b.environ...)
	b.cmd.Stdout, b.cmd.Stderr = b.output, b.output
	if err := b.cmd.Start(); err != nil {
		b.t.Fatalf("starting the box: %v", err)
	}
	client := HTTPS(b.Host)
	Eventually(b.t, 30*time.Second, "the box serves", func() error {
		return Healthy(client, "https://127.0.0.1:3002")
	})
}

// Kill is kill -9.
func (b *Box) Kill() {
	b.t.Helper()
	if err := b.cmd.Process.Kill(); err != nil {
		b.t.Fatalf("killing the box: %v", err)
	}
	b.cmd.Wait()
}

// stop stops the box at once. With the race detector in it, a race that it saw
// is another exit code too.
func (b *Box) stop() {
	if err := b.cmd.Process.Signal(syscall.SIGINT); err != nil {
		b.t.Errorf("stopping the box: %v", err)
	}
	if err := b.cmd.Wait(); err != nil {
		b.t.Errorf("the box ended with %v", err)
	}
}

// report shows what the box has said where the test has failed.
func (b *Box) report() {
	if b.t.Failed() {
		b.t.Logf("output of the box:\n%s", b.output)
	}
}

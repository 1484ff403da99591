//go:build unix

package config

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNamedPipes holds that a pipe that nobody writes to is refused, and waited
// for nowhere.
func TestNamedPipes(t *testing.T) {
	dir := house(t)
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, "config.yaml", "turn: {secret_file: pipe}")
	for path, want := range map[string]string{
		"pipe":        "pipe: can't be read: it is not a file",
		"config.yaml": "pipe\" can't be used: it is not a file",
	} {
		refused := make(chan error, 1)
		go func() {
			_, _, err := Load(path)
			refused <- err
		}()
		select {
		case err := <-refused:
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Load(%s): %v, want %s", path, err, want)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("Load(%s) waits", path)
		}
	}
}

// TestPipeOfAnotherProgram reads what a shell calls <(program).
func TestPipeOfAnotherProgram(t *testing.T) {
	house(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("domain: home.example\n"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if c, _, err := Load("/dev/fd/" + strconv.Itoa(int(r.Fd()))); err != nil || c.Domain != "home.example" {
		t.Errorf("got %v, error %v", c, err)
	}
}

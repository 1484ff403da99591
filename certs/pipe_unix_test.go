//go:build unix

package certs

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNamedPipe holds that a pipe that nobody writes to is refused, and not
// waited for.
func TestNamedPipe(t *testing.T) {
	cfg := filesConfig(t.TempDir(), "")
	must(t, syscall.Mkfifo(cfg.TLS.Cert, 0o600))
	refused := make(chan error, 1)
	go func() {
		_, err := New(cfg, new(journal).logger())
		refused <- err
	}()
	select {
	case err := <-refused:
		if err == nil || !strings.Contains(err.Error(), "cert.pem is not a file") {
			t.Errorf("error %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("New waits")
	}
}

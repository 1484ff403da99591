package interop

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"icebox/internal/boxtest"
)

// python is Debian's, which sees the packages of Debian.
const python = "/usr/bin/python3"

// TestAioice connects two ICE agents of aioice that may use relays alone. What
// one sends goes from its relay to the other's, within the box.
func TestAioice(t *testing.T) {
	if err := exec.Command(python, "-c", "import aioice").Run(); err != nil {
		boxtest.Lacks(t, "python3-aioice (make deps)")
	}
	w := newWorld(t)
	for transport, port := range map[string]string{"udp": "3478", "tcp": "3478", "tls": "3002"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			cmd := w.client.Command(ctx, python, "testdata/relay.py",
				w.box.Addr().String(), port, user, password, transport)
			cmd.Env = append(cmd.Env, "SSL_CERT_FILE="+w.authority.file)
			out, err := cmd.CombinedOutput()
			// Both ways, 50 messages of 1, 21, 41... bytes.
			if got := strings.TrimSpace(string(out)); err != nil || got != "49100" {
				t.Errorf("%v, %s bytes came through, want 49100", err, got)
			}
		})
	}
}

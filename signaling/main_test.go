package signaling

import (
	"fmt"
	"os"
	"testing"
)

// TestMain runs the tests, or the peers of a benchmark when it is started as
// their process: the figures of a server must not hold those of its clients.
func TestMain(m *testing.M) {
	if plan := os.Getenv(peersPlan); plan != "" {
		if err := runPeers(plan); err != nil {
			fmt.Fprintln(os.Stderr, "peers:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

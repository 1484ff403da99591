//go:build !unix

package turnserver

import (
	"testing"
	"time"
)

// cpuTime is what this process has used.
func cpuTime(t *testing.T) time.Duration {
	t.Skip("needs getrusage")
	return 0
}

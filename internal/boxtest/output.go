package boxtest

import (
	"bytes"
	"strings"
	"sync"
)

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

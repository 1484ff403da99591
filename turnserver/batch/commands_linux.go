package batch

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// commands are what other goroutines want a worker to do itself, in their order, while
// nothing waits to be sent. They are carried out before the next datagram is handled.
type commands struct {
	event   int         // an eventfd in the worker's epoll
	pending atomic.Bool // there are some: the worker looks without a lock
	mu      sync.Mutex  // guards what follows
	queue   []func(*Worker)
	woken   bool
}

// add has f carried out; wake says that the worker should not wait for a datagram first.
func (c *commands) add(f func(*Worker), wake bool) {
	c.mu.Lock()
	c.queue = append(c.queue, f)
	c.pending.Store(true)
	ring := wake && !c.woken
	c.woken = c.woken || wake
	c.mu.Unlock()
	if ring {
		c.ring()
	}
}

func (c *commands) ring() {
	one := uint64(1)
	unix.Write(c.event, (*[8]byte)(unsafe.Pointer(&one))[:])
}

// take gives what is to be done.
func (c *commands) take() []func(*Worker) {
	if !c.pending.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	todo := c.queue
	c.queue, c.woken = nil, false
	c.pending.Store(false)
	return todo
}

// hush reads the eventfd, so that it does not wake the worker again.
func (c *commands) hush() {
	var count [8]byte
	unix.RawSyscall(unix.SYS_READ, uintptr(c.event), uintptr(unsafe.Pointer(&count)), uintptr(len(count)))
}

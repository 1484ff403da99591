// Package nowait writes to a TCP connection without waiting for its peer, and tells
// its reader before he waits, below whatever stands on top of it, such as TLS.
package nowait

import (
	"errors"
	"iter"
	"net"
	"os"
	"sync"
	"syscall"
)

// maxPending is how many bytes a Conn keeps. TLS writes on its own account too,
// when its peer asks it to, and a peer that asks for much need not read any of it.
const maxPending = 64 << 10

// errFull ends a connection whose peer has asked for more than that.
var errFull = errors.New("the peer does not read, and too much is pending")

// Conn is a connection like any other until Hurry. From then on Write does not wait
// for the peer: what the kernel does not take at once is pending, in its place
// before all that is written later, until Flush, which waits. While it does, every
// other method but Close, Read and the deadlines waits for it. Methods may be called
// by any goroutine.
type Conn struct {
	net.Conn
	raw  syscall.RawConn
	idle func() // of Hurry

	mu      sync.Mutex // held while bytes go out; guards the rest
	hurry   bool       // Write does not wait
	pending []byte     // that the kernel did not take
	failed  error      // of a write in a hurry: the stream has a gap from there on
}

// New puts a Conn on c. Where c or this system can't be written to without
// waiting, Of does not find it, and it only passes on.
func New(c net.Conn) *Conn { return &Conn{Conn: c, raw: rawOf(c)} }

// Of is the Conn among the layers of c; nil where there is none that can be written
// to without waiting.
func Of(c net.Conn) *Conn {
	for layer := range Layers(c) {
		if own, ok := layer.(*Conn); ok && own.raw != nil {
			return own
		}
	}
	return nil
}

// Innermost is the connection at the bottom of c, which can be closed at once
// whatever its layers are doing.
func Innermost(c net.Conn) net.Conn {
	for layer := range Layers(c) {
		c = layer
	}
	return c
}

// Layers are c, what it is on as its NetConn says, and so on down.
func Layers(c net.Conn) iter.Seq[net.Conn] {
	return func(yield func(net.Conn) bool) {
		for c := c; c != nil && yield(c); {
			on, ok := c.(interface{ NetConn() net.Conn })
			if !ok {
				return
			}
			c = on.NetConn()
		}
	}
}

// NetConn is the connection that c was made of.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Hurry has Write wait no more, and Read call idle, which may be nil, each time before
// it waits. It is for a Conn that Of has found and that nobody reads meanwhile.
func (c *Conn) Hurry(idle func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hurry, c.idle = true, idle
}

// Read is that of a net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	if c.raw == nil || len(b) == 0 {
		return c.Conn.Read(b)
	}
	n, err := await(c.raw, b, c.idle)
	switch e := err.(type) {
	case *os.SyscallError:
		err = &net.OpError{Op: "read", Net: c.RemoteAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
	case *net.OpError:
		e.Op = "read" // not "raw-read": nobody else knows how it is done
	}
	return n, err
}

// Pending says whether something is, so that Flush is due.
func (c *Conn) Pending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending) > 0
}

// Flush writes what is pending and waits for it, until the write deadline or Close.
// After an error the connection is good for nothing more.
func (c *Conn) Flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == nil && len(c.pending) > 0 {
		_, c.failed = c.Conn.Write(c.pending)
		c.pending = nil
	}
	return c.failed
}

// Write is that of a net.Conn. In a hurry, what is pending counts as written, and
// the error is for good.
func (c *Conn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.hurry {
		return c.Conn.Write(b)
	}
	taken := 0
	if c.failed == nil && len(c.pending) == 0 {
		taken, c.failed = give(c.raw, b)
	}
	if c.failed == nil && len(c.pending)+len(b)-taken > maxPending {
		c.failed = errFull
	}
	if c.failed != nil {
		return taken, c.failed
	}
	c.pending = append(c.pending, b[taken:]...)
	return len(b), nil
}

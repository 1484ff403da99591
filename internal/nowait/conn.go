// Package nowait writes to a TCP connection without waiting for its peer, below
// whatever stands on top of it, such as TLS.
package nowait

import (
	"net"
	"sync"
	"syscall"
)

// Conn is a connection like any other until Hurry. From then on Write never waits,
// whoever calls it: what the kernel does not take at once is kept, in its place
// before all that is written later, until Flush. How much that may be is up to the
// callers. Methods may be called by any goroutine.
type Conn struct {
	net.Conn
	raw syscall.RawConn

	mu    sync.Mutex // held while bytes go out; guards the rest
	hurry bool       // Write does not wait
	kept  []byte     // that the kernel did not take
}

// New puts a Conn on c. Where c or this system can't be written to without
// waiting, Of does not find it, and it only passes on.
func New(c net.Conn) *Conn { return &Conn{Conn: c, raw: rawOf(c)} }

// Of is the Conn inside of c, as NetConn of each layer leads to it; nil where
// there is none that can be written to without waiting.
func Of(c net.Conn) *Conn {
	for c != nil {
		if own, ok := c.(*Conn); ok && own.raw != nil {
			return own
		}
		c = inside(c)
	}
	return nil
}

// Innermost is the connection at the bottom of c, which can be closed at once
// whatever its layers are doing.
func Innermost(c net.Conn) net.Conn {
	for next := c; next != nil; next = inside(next) {
		c = next
	}
	return c
}

// inside is what a layer is on; nil where c is none.
func inside(c net.Conn) net.Conn {
	if layer, ok := c.(interface{ NetConn() net.Conn }); ok {
		return layer.NetConn()
	}
	return nil
}

// NetConn is the connection that c was made of.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Hurry has Write wait no more. It is for a Conn that Of has found.
func (c *Conn) Hurry() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hurry = true
}

// Behind says whether something is kept, so that Flush is due.
func (c *Conn) Behind() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.kept) > 0
}

// Flush writes what is kept and waits for it, until the write deadline or Close.
// So does a Write meanwhile.
func (c *Conn) Flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) == 0 {
		return nil
	}
	_, err := c.Conn.Write(c.kept)
	c.kept = nil
	return err
}

// Write is that of a net.Conn. In a hurry, all of b counts as written.
func (c *Conn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.hurry {
		return c.Conn.Write(b)
	}
	taken := 0
	if len(c.kept) == 0 {
		var err error
		if taken, err = try(c.raw, b); err != nil {
			return taken, err
		}
	}
	c.kept = append(c.kept, b[taken:]...)
	return len(b), nil
}

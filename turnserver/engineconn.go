package turnserver

import (
	"net"
	"runtime"
	"sync"
	"time"
)

// engineConn is the one connection that pion reads from and answers on.
type engineConn struct {
	requests chan engineRequest
	done     chan struct{} // pion has finished with the request before
	closed   chan struct{}
	left     chan struct{} // pion has seen that it is closed
	once     sync.Once
	busy     bool   // touched by pion's reading goroutine alone
	answer   []byte // written by pion between a request and done
	local    net.Addr
}

type engineRequest struct {
	raw  []byte
	name *net.UDPAddr
}

func newEngineConn() *engineConn {
	return &engineConn{
		requests: make(chan engineRequest),
		done:     make(chan struct{}),
		closed:   make(chan struct{}),
		left:     make(chan struct{}),
		local:    &net.UDPAddr{IP: net.IPv6loopback, Port: 3478},
	}
}

// exchange hands over one request and returns pion's answer, empty where it
// gave none; it is good until the next. One at a time: the caller holds the
// engine's lock.
func (c *engineConn) exchange(raw []byte, name *net.UDPAddr) ([]byte, error) {
	c.answer = c.answer[:0]
	select {
	case c.requests <- engineRequest{raw: raw, name: name}:
		<-c.done
	case <-c.closed:
		return nil, errEngineClosed
	}
	return c.answer, nil
}

// ReadFrom implements net.PacketConn. That pion calls it says that the request
// before is done with.
func (c *engineConn) ReadFrom(p []byte) (int, net.Addr, error) {
	if c.busy {
		c.busy = false
		c.done <- struct{}{}
	}
	select {
	case r := <-c.requests:
		c.busy = true
		return copy(p, r.raw), r.name, nil
	case <-c.closed:
		close(c.left)
		return 0, nil, net.ErrClosed
	}
}

// WriteTo implements net.PacketConn: pion's answer to the request in hand.
func (c *engineConn) WriteTo(p []byte, _ net.Addr) (int, error) {
	c.answer = append(c.answer[:0], p...)
	return len(p), nil
}

// Close implements net.PacketConn.
func (c *engineConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// LocalAddr implements net.PacketConn.
func (c *engineConn) LocalAddr() net.Addr { return c.local }

// SetDeadline implements net.PacketConn and does nothing.
func (c *engineConn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.PacketConn and does nothing.
func (c *engineConn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.PacketConn and does nothing.
func (c *engineConn) SetWriteDeadline(time.Time) error { return nil }

// engineLeg is what pion holds as the relay socket of a session. No packet
// passes it; that pion closes it is how a session ends.
type engineLeg struct {
	name  *net.UDPAddr // the session, as pion knows it
	ended func()       // called once
	once  sync.Once
}

// ReadFrom implements net.PacketConn. There is never anything to read, so the
// goroutine that pion started to read it ends here, and with it its stack and
// its buffer. An error would make pion delete the session.
func (l *engineLeg) ReadFrom([]byte) (int, net.Addr, error) {
	runtime.Goexit()
	return 0, nil, net.ErrClosed
}

// WriteTo implements net.PacketConn: pion carries nothing.
func (l *engineLeg) WriteTo([]byte, net.Addr) (int, error) { return 0, net.ErrClosed }

// Close implements net.PacketConn: the session is over.
func (l *engineLeg) Close() error {
	l.once.Do(l.ended)
	return nil
}

// LocalAddr implements net.PacketConn. The clients' answers carry the real one.
func (l *engineLeg) LocalAddr() net.Addr { return l.name }

// SetDeadline implements net.PacketConn and does nothing.
func (l *engineLeg) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.PacketConn and does nothing.
func (l *engineLeg) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.PacketConn and does nothing.
func (l *engineLeg) SetWriteDeadline(time.Time) error { return nil }

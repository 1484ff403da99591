package nowait

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

const (
	patience = 10 * time.Second
	buffer   = 64 << 10 // of either kernel: much smaller ones are slow
)

// pair is a Conn, and what is at its other end. Both kernels take little.
func pair(t *testing.T) (*Conn, *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	far, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	near.(*net.TCPConn).SetWriteBuffer(buffer)
	far.(*net.TCPConn).SetReadBuffer(buffer)
	near.SetDeadline(time.Now().Add(patience))
	far.SetDeadline(time.Now().Add(patience))
	c := New(near)
	if Of(c) == nil {
		t.Skip("this system can't write without waiting")
	}
	return c, far.(*net.TCPConn)
}

// pattern is n bytes that repeat so rarely that none can be missing unseen.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// TestNothingIsLost: more than the kernel takes is written without waiting, and
// arrives in order with what is written before and after.
func TestNothingIsLost(t *testing.T) {
	c, far := pair(t)
	all := pattern(4 << 20)
	whole := all
	write := func(n int) error {
		k, err := c.Write(all[:n])
		if err == nil && k != n {
			err = io.ErrShortWrite
		}
		all = all[n:]
		return err
	}
	if err := write(100); err != nil { // waiting
		t.Fatal(err)
	}
	c.Hurry(nil)
	if err := write(1000); err != nil {
		t.Fatal(err)
	}
	if c.Pending() {
		t.Error("1,100 bytes were too much for the kernel")
	}
	for !c.Pending() {
		if err := write(10_000); err != nil {
			t.Fatal(err)
		}
	}
	if err := write(10_000); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		err := c.Flush()
		for err == nil && len(all) > 0 {
			err = errors.Join(write(min(maxPending, len(all))), c.Flush())
		}
		done <- errors.Join(err, c.Close())
	}()
	got, err := io.ReadAll(far)
	if err != nil || !bytes.Equal(got, whole) {
		t.Errorf("%d bytes arrived, want %d: %v", len(got), len(whole), err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if c.Pending() {
		t.Error("something is still pending")
	}
}

// TestPendingIsBounded: a peer that reads nothing can't have any amount kept, and
// an error is one for good.
func TestPendingIsBounded(t *testing.T) {
	c, _ := pair(t)
	c.Hurry(nil)
	var err error
	written := 0
	for err == nil && written < 64<<20 {
		var n int
		n, err = c.Write(make([]byte, 100))
		written += n
	}
	if !errors.Is(err, errFull) {
		t.Fatalf("%d bytes were taken: %v", written, err)
	}
	if n := len(c.pending); n > maxPending || n < maxPending-100 {
		t.Errorf("%d bytes are kept, want %d", n, maxPending)
	}
	if _, err := c.Write(nil); !errors.Is(err, errFull) {
		t.Errorf("then a write said %v, want %v", err, errFull)
	}
	if err := c.Flush(); !errors.Is(err, errFull) {
		t.Errorf("then Flush said %v, want %v", err, errFull)
	}
}

// TestWaitsBeforeHurry: until then it is a connection like any other.
func TestWaitsBeforeHurry(t *testing.T) {
	c, far := pair(t)
	all := pattern(2 << 20)
	go func() {
		c.Write(all)
		if c.Pending() {
			t.Error("something was pending")
		}
		c.Close()
	}()
	if got, err := io.ReadAll(far); err != nil || !bytes.Equal(got, all) {
		t.Errorf("%d bytes arrived, want %d: %v", len(got), len(all), err)
	}
}

// TestFlushEnds: by the deadline, and when the connection is closed.
func TestFlushEnds(t *testing.T) {
	for name, end := range map[string]struct {
		act  func(*Conn)
		want error
	}{
		"deadline": {func(c *Conn) { c.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)) }, os.ErrDeadlineExceeded},
		"close":    {func(c *Conn) { time.AfterFunc(20*time.Millisecond, func() { c.Close() }) }, net.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := pair(t)
			c.Hurry(nil)
			for !c.Pending() {
				if _, err := c.Write(make([]byte, 1000)); err != nil {
					t.Fatal(err)
				}
			}
			end.act(c)
			if err := c.Flush(); !errors.Is(err, end.want) {
				t.Errorf("got %v, want %v", err, end.want)
			}
			if _, err := c.Write([]byte("x")); !errors.Is(err, end.want) {
				t.Errorf("then a write said %v, want %v", err, end.want)
			}
		})
	}
}

// TestErrors: a connection that has ended says so without waiting too.
func TestErrors(t *testing.T) {
	c, far := pair(t)
	far.SetLinger(0)
	far.Close()
	c.Hurry(nil)
	failed := false
	for deadline := time.Now().Add(patience); !failed && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		_, err := c.Write([]byte("x"))
		failed = err != nil
	}
	if !failed {
		t.Error("a connection that was reset takes bytes for ever")
	}
}

// layer is one that a Conn can be found in.
type layer struct{ net.Conn }

func (l layer) NetConn() net.Conn { return l.Conn }

func TestOf(t *testing.T) {
	c, _ := pair(t)
	stack := layer{tls.Server(layer{c}, new(tls.Config))}
	if got := Of(stack); got != c {
		t.Errorf("found %v, want %v", got, c)
	}
	if got := Innermost(stack); got != c.Conn {
		t.Errorf("at the bottom is %v, want %v", got, c.Conn)
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if got := Of(layer{New(a)}); got != nil {
		t.Errorf("a pipe can be written to without waiting, by %v", got)
	}
	if got := Innermost(a); got != a {
		t.Errorf("at the bottom is %v, want %v", got, a)
	}
	if Of(nil) != nil {
		t.Error("there is something in nothing")
	}
}

// TestWriteAllocatesNothing: while the kernel takes everything.
func TestWriteAllocatesNothing(t *testing.T) {
	c, far := pair(t)
	go io.Copy(io.Discard, far)
	b := make([]byte, 200)
	c.Hurry(nil)
	allocs := testing.AllocsPerRun(200, func() {
		c.Write(b)
		if c.Pending() {
			c.Flush()
		}
	})
	if allocs > 0.5 { // a collection may empty the pool
		t.Errorf("%v allocations a write", allocs)
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	c, far := pair(t)
	b := make([]byte, 200)
	allocs := testing.AllocsPerRun(200, func() {
		far.Write(b)
		c.Read(b)
	})
	if allocs > 0.5 { // a collection may empty the pool
		t.Errorf("%v allocations a read", allocs)
	}
}

// TestReadsNothing: of an empty slice nothing is said, neither an end nor that there is one.
func TestReadsNothing(t *testing.T) {
	c, far := pair(t)
	far.CloseWrite()
	if n, err := c.Read(nil); n != 0 || err != nil {
		t.Errorf("got %d bytes, %v", n, err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("got %d bytes, %v, want the end", n, err)
	}
}

// TestTellsBeforeItWaits: in a hurry, who reads is told before he waits, and only then.
func TestTellsBeforeItWaits(t *testing.T) {
	c, far := pair(t)
	calls := 0
	c.Hurry(func() {
		calls++
		far.Write([]byte("late"))
	})
	far.Write([]byte("early"))
	b := make([]byte, 100)
	for i, want := range []string{"early", "late", "late"} {
		if n, err := c.Read(b); string(b[:n]) != want || err != nil || calls != i {
			t.Errorf("read %q, %v, told %d times; want %q, told %d times", b[:n], err, calls, want, i)
		}
	}
	far.CloseWrite()
	if n, err := c.Read(b); n != 0 || err != io.EOF || calls != 2 {
		t.Errorf("at the end: %d bytes, %v, told %d times", n, err, calls)
	}
}

// TestCloseWhileItIsTold: who is told may close the Conn, and nobody else who does waits for
// him.
func TestCloseWhileItIsTold(t *testing.T) {
	soon := func(what string, done <-chan error) error {
		t.Helper()
		select {
		case err := <-done:
			return err
		case <-time.After(5 * time.Second):
			t.Fatalf("%s waits", what)
			return nil
		}
	}
	c, _ := pair(t)
	read := make(chan error, 1)
	c.Hurry(func() { c.Close() })
	go func() { _, err := c.Read(make([]byte, 1)); read <- err }()
	if err := soon("who closes it himself", read); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the read ended with %v", err)
	}

	c, _ = pair(t)
	told, goOn, closed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	c.Hurry(func() { close(told); <-goOn })
	go func() { _, err := c.Read(make([]byte, 1)); read <- err }()
	<-told
	go func() { closed <- c.Close() }()
	soon("another who closes it", closed)
	close(goOn)
	if err := soon("the reader", read); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the read ended with %v", err)
	}
}

// TestReadErrors: as a net.Conn has them.
func TestReadErrors(t *testing.T) {
	for name, end := range map[string]struct {
		act  func(c *Conn, far *net.TCPConn)
		want error
	}{
		"deadline":      {func(c *Conn, _ *net.TCPConn) { c.SetReadDeadline(time.Now().Add(-time.Second)) }, os.ErrDeadlineExceeded},
		"deadline soon": {func(c *Conn, _ *net.TCPConn) { c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)) }, os.ErrDeadlineExceeded},
		"close":         {func(c *Conn, _ *net.TCPConn) { c.Close() }, net.ErrClosed},
		"reset":         {func(_ *Conn, far *net.TCPConn) { far.SetLinger(0); far.Close() }, syscall.ECONNRESET},
	} {
		for hurry, idle := range map[string]func(){"": nil, ", in a hurry": func() {}} {
			t.Run(name+hurry, func(t *testing.T) {
				c, far := pair(t)
				if idle != nil {
					c.Hurry(idle)
				}
				end.act(c, far)
				n, err := c.Read(make([]byte, 1))
				if e, whole := err.(*net.OpError); n != 0 || !whole || e.Op != "read" || !errors.Is(err, end.want) {
					t.Errorf("got %d bytes, %T %v, want a *net.OpError %v", n, err, err, end.want)
				}
			})
		}
	}
}

package batch

import (
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// Listener is an address that clients send to: a socket of each worker.
type Listener struct {
	index    int
	wildcard bool
	sockets  []*socket
}

// socket is one worker's socket of a listener.
type socket struct {
	listener *Listener
	file     *os.File
	fd       int
	ipv6     bool
	port     uint16
	local    netip.AddrPort // where it has one address
	ready    bool
	lost     uint32 // datagrams that the kernel threw away, as it counts them
}

func newSocket(l *Listener, file *os.File, merge bool) (*socket, error) {
	fd := int(file.Fd())
	name, err := unix.Getsockname(fd)
	if err != nil {
		return nil, fmt.Errorf("the address of a listener: %w", err)
	}
	s := &socket{listener: l, file: file, fd: fd}
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		s.port, s.local = uint16(a.Port), netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		s.port, s.local = uint16(a.Port), netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
		s.ipv6 = true
	}
	countOverflow(fd)
	if merge {
		mergeReceived(fd)
	}
	return s, nil
}

// countOverflow has the kernel say with a datagram how many it threw away before.
// Where it can't, nobody is told.
func countOverflow(fd int) {
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
}

// Index is the number of the listener, from 0 on in the order of Listen.
func (l *Listener) Index() int { return l.index }

// Datagram is one that came to a listener. It is good during the call of the
// Handler that gets it, and no longer.
type Datagram struct {
	// Packet is what it holds.
	Packet []byte
	// Flow is what Add has entered for its sender, or nil.
	Flow any

	worker *Worker
	socket *socket
	sender sender
}

// Tuple is who sent it, and which address he asked.
func (d *Datagram) Tuple() Tuple {
	t := Tuple{Client: d.sender.client.addrPort(), Local: d.socket.local}
	if d.socket.listener.wildcard {
		t.Local = netip.AddrPortFrom(unscoped(d.sender.local), d.socket.port)
	}
	return t
}

// Listener is the one that it came to.
func (d *Datagram) Listener() *Listener { return d.socket.listener }

// Worker is the number of the worker that reads all of this sender.
func (d *Datagram) Worker() int { return d.worker.index }

// Client is the way back to a client at a listener.
type Client struct {
	listener *Listener
	to       sockaddr
	control  []byte // names the source address, or is empty
	ceiling  ceiling
}

// NewClient is the way back to a client. control is sent along with each
// datagram, to have it leave from the address that was asked.
func (l *Listener) NewClient(to netip.AddrPort, control []byte) *Client {
	c := &Client{listener: l, control: control}
	c.to.set(to, l.sockets[0].ipv6)
	return c
}

// read handles what waits at a listener, one batch of it, and says whether there
// may be more. What came to another listener before has to leave first: it is in the
// same slots.
func (w *Worker) read(s *socket) bool {
	if len(w.up.ups) > 0 {
		w.Flush()
	}
	n, errno := recvmmsg(s.fd, w.inbox)
	if errno != 0 {
		return false
	}
	w.datagram = Datagram{worker: w, socket: s}
	for i := range w.inbox[:n] {
		w.handle(s, i)
	}
	return n == len(w.inbox)
}

// handle hands on what is in one place of the inbox, a datagram or a train of
// them, and makes the place ready for the next.
func (w *Worker) handle(s *socket, i int) {
	m := &w.inbox[i]
	var c control
	if n := int(m.header.Controllen); n > 0 {
		c.read(w.controls[i][:n])
		w.overflowed(&c, &s.lost)
	}
	d := &w.datagram
	d.from(&w.senders[i], &c)
	received := w.arena.slot(i)[Headroom:][:m.length]
	size, count := w.cut(len(received), c.segment)
	for n := range count {
		end := min((n+1)*size, len(received))
		d.Packet = received[n*size : end : end]
		w.handler.FromClient(d)
	}
	m.header.Namelen = unix.SizeofSockaddrInet6
	m.header.SetControllen(controlSize)
}

// from says who has sent it. Often it is who has sent the one before.
func (d *Datagram) from(client *sockaddr, c *control) {
	wildcard := d.socket.listener.wildcard
	if last := &d.sender; last.client != nil && last.client.equal(client) && (!wildcard || last.local == c.local) {
		return
	}
	d.sender.client, d.sender.listener = client, uint16(d.socket.listener.index)
	if wildcard {
		d.sender.local = c.local
	}
	d.Flow = d.worker.flows.get(&d.sender)
}

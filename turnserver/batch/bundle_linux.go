package batch

import "net/netip"

// Bundle is what a goroutine that is no worker has on its way to peers: several
// datagrams that came at once, such as over a stream. It is used by one goroutine at a
// time, which is the only one to send from its relays with one.
type Bundle struct {
	up uplink

	// What send is at, and send as a value that was made once: a call through
	// SyscallConn keeps it.
	relay *Relay
	first int32
	call  func(fd uintptr)
}

// NewBundle makes an empty Bundle, which can be used again after each Flush.
func (e *Engine) NewBundle() *Bundle {
	b := new(Bundle)
	b.up.init(e)
	b.call = func(uintptr) { b.up.send(b.relay, b.first) }
	return b
}

// ToPeer sends payload from a relay to a peer with Flush, or before. The payload must
// stay as it is until then.
func (b *Bundle) ToPeer(r *Relay, payload []byte, to netip.AddrPort, tally Tally) {
	if b.up.full() {
		b.Flush()
	}
	b.up.add(r, payload, to, tally)
}

// Flush sends everything that is on its way.
func (b *Bundle) Flush() {
	b.up.flush(func(_ *uplink, r *Relay, first int32) { b.send(r, first) })
}

// send is that of the uplink, and keeps the worker from closing the socket meanwhile.
func (b *Bundle) send(r *Relay, first int32) {
	b.relay, b.first = r, first
	err := r.raw.Control(b.call)
	b.relay = nil
	for err != nil && first >= 0 { // it was closed before
		first = b.up.lose(first)
	}
}

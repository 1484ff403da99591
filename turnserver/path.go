package turnserver

import (
	"net"
	"net/netip"
)

// path is a data path: it has the UDP sockets of the box, those of the listeners
// and those of the relays, and moves datagrams between them. There are plain, of
// goroutines, for every system, and batch, for Linux.
//
// A session hands itself over with carry when it begins, and is taken back with
// release in the one place where it ends. What of it may pass, the path asks the
// session packet by packet (datapath.go), so that every path holds the same
// rules. What is no data of a session goes up to the guard.
type path interface {
	// listen opens the sockets of one address, before start.
	listen(address string) (net.Addr, error)
	// open opens the socket of a relay of s, bound to an address, and begins to
	// read it. closed is called once, when it is closed.
	open(s *session, addr, bind netip.AddrPort, closed func()) (*relay, error)
	// start begins to read the listeners.
	start(g *guard)
	// stop ends that, and with it every request. It is called once, also where start
	// never was.
	stop()
	// close lets go of all that is left, once no session is. It comes after stop.
	close() error

	// carry has data of the session's client find it. The session has begun.
	carry(s *session)
	// release ends that.
	release(s *session)
	// settle returns when every packet that the path has let pass before is sent.
	// sessions.settle calls it, which knows of all other packets.
	settle()
	// bundle makes the lane of a stream.
	bundle() bundle
	// lost counts what got to no session.
	lost() pathLosses
	// trains says whether runs of packets leave as one.
	trains() bool
}

// pathLosses are datagrams that a path has lost before anybody looked at them.
type pathLosses struct {
	unread   uint64 // the kernel's queue of a socket was full
	requests uint64 // more requests than can be answered
}

// relaySocket is the socket behind a relay address.
type relaySocket interface {
	// send sends one datagram at once, with df one that no router may fragment.
	// Any goroutine may call it.
	send(payload []byte, to netip.AddrPort, df bool) error
	// close has the socket closed, if it is not yet.
	close()
}

// lane is where the packets go that a session lets pass, and where they are
// counted. Each belongs to one goroutine.
type lane interface {
	// toPeer sends payload from a relay of s.
	toPeer(s *session, r *relay, payload []byte, to netip.AddrPort, df bool)
	// toClient sends a packet with size bytes of payload to the client of s.
	toClient(s *session, packet []byte, size int)
	// room is a place for one more datagram, to be given back with done.
	room() []byte
	done(room []byte)
}

// bundle is the lane of a goroutine that has several packets of one client at once:
// what goes to peers may wait for flush. It stays where it is until then.
type bundle interface {
	lane
	flush()
}

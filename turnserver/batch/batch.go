// Package batch moves datagrams between the UDP sockets of a TURN server, many
// with each system call. It is Linux only; elsewhere the package is empty.
//
// An Engine has a few workers, each a goroutine with an epoll of its own, which under
// load waits without the scheduler's knowledge. A worker owns one socket of every
// listener, which share their address with SO_REUSEPORT, and the relay sockets of the
// sessions that are its own. It reads with recvmmsg, and trains of datagrams at once
// where they come so (UDP_GRO). It hands each datagram to its Handler, and sends what the
// Handler has let pass when all that was read has been handled: to clients in one
// sendmmsg, to peers flow by flow, runs of equal size as one train (UDP_SEGMENT).
//
// What passes is the Handler's decision, packet by packet: nothing here knows
// about permissions, channels or users. In a worker nothing waits but
// epoll, nothing is allocated a packet and no lock is taken.
//
// The figures behind this shape, and its traps, are in docs/PERFORMANCE.md.
package batch

package batch

import (
	"os"

	"golang.org/x/sys/unix"
)

// maxMerged is how many datagrams the kernel hands over as one: as many as a
// sender can give it as one (UDP_MAX_SEGMENTS, 64 and in newer kernels 128).
const maxMerged = 128

// mergeReceived has the kernel hand over trains whole, as they came from the
// network card or from a sender on this host. Where it can't, each datagram comes
// by itself.
func mergeReceived(fd int) error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1))
}

// cut says how many datagrams were received as one, and how large all of them are
// but the last, which may be shorter. Of more than maxMerged, which no kernel
// gives, the rest is lost.
func (w *Worker) cut(received, segment int) (size, count int) {
	if segment <= 0 || segment >= received {
		return received, 1
	}
	count = (received + segment - 1) / segment
	if count > maxMerged {
		w.handler.Overflowed(1)
	}
	return segment, min(count, maxMerged)
}

// spread moves the datagrams of a train apart, so that each has its Headroom.
func spread(slot []byte, received, size, count int) {
	for i := count - 1; i > 0; i-- {
		n := min(size, received-i*size)
		copy(slot[Headroom+i*(size+Headroom):], slot[Headroom+i*size:][:n])
	}
}

package batch

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

const (
	// controlSize holds what the kernel says of a datagram of a listener: IP_PKTINFO
	// and IPV6_PKTINFO, SO_RXQ_OVFL, UDP_GRO, 120 bytes at the most.
	controlSize = 128
	// relayControlSize holds what it says of one of a relay: SO_RXQ_OVFL, UDP_GRO.
	relayControlSize = 48
)

// control is what the kernel says of a datagram.
type control struct {
	local   [16]byte // the address that it came to, scoped
	counted bool     // lost was told
	lost    uint32   // datagrams, or trains of them, that the kernel threw away for want of room, ever
	segment int      // the size of those that came as one train; 0: it is one
}

// read takes what the control messages of a datagram say.
func (c *control) read(b []byte) {
	for len(b) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(b)
		if err != nil {
			return
		}
		switch {
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			c.local = mapped([4]byte(data[8:12]))
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			c.local = scoped([16]byte(data[:16]), binary.NativeEndian.Uint32(data[16:]))
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_RXQ_OVFL && len(data) >= 4:
			c.lost, c.counted = binary.NativeEndian.Uint32(data), true
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			c.segment = int(int32(binary.NativeEndian.Uint32(data)))
		}
		b = rest
	}
}

// overflowed passes on how many datagrams a socket has lost since the last time.
func (w *Worker) overflowed(c *control, lost *uint32) {
	if c.counted {
		w.handler.Overflowed(c.lost - *lost)
		*lost = c.lost
	}
}

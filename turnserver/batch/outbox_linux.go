package batch

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// segmentControl is the size of the control message of UDP_SEGMENT.
var segmentControl = unix.CmsgSpace(2)

// outbox builds what sendmmsg takes: messages, each of one datagram or of a train
// of them.
type outbox struct {
	messages []mmsghdr
	runs     []int // how many datagrams are in each message
	iovs     []unix.Iovec
	controls [][controlSize]byte
	count    int // messages built
	start    int // where the iovs of the next message begin
	to       sockaddr
	again    [1]mmsghdr // for one datagram while messages is in use
	againIov unix.Iovec
}

// init makes room for so many messages, of so many datagrams in all.
func (o *outbox) init(messages, datagrams int) {
	o.messages = make([]mmsghdr, messages)
	o.controls = make([][controlSize]byte, messages)
	o.runs = make([]int, 0, messages)
	o.iovs = make([]unix.Iovec, 0, datagrams)
}

// begin empties the outbox.
func (o *outbox) begin() {
	o.runs, o.iovs, o.count, o.start = o.runs[:0], o.iovs[:0], 0, 0
}

// full says whether nothing more fits.
func (o *outbox) full() bool { return len(o.iovs) == cap(o.iovs) || o.count == len(o.messages) }

// append adds a datagram to the message that is being built.
func (o *outbox) append(packet []byte) {
	iov := unix.Iovec{Base: unsafe.SliceData(packet)}
	iov.SetLen(len(packet))
	o.iovs = append(o.iovs, iov)
}

// message ends it: it goes to an address, with a control message or without, and
// as a train where segment is not 0.
func (o *outbox) message(to *sockaddr, control []byte, segment int) []mmsghdr {
	m := &o.messages[o.count]
	buf := &o.controls[o.count]
	size := copy(buf[:], control)
	if segment != 0 {
		size += putSegment(buf[size:], segment)
	}
	address(m, to, buf[:size])
	m.header.Iov = &o.iovs[o.start]
	m.header.SetIovlen(len(o.iovs) - o.start)
	o.start = len(o.iovs)
	o.count++
	return o.messages[o.count-1 : o.count]
}

func address(m *mmsghdr, to *sockaddr, control []byte) {
	m.header.Name, m.header.Namelen = to.pointer(), to.size()
	m.header.Control = nil
	if len(control) > 0 {
		m.header.Control = &control[0]
	}
	m.header.SetControllen(len(control))
}

// one is a message of a single datagram, beside those that are being sent.
func (o *outbox) one(packet []byte, to *Client) []mmsghdr {
	o.againIov.Base = unsafe.SliceData(packet)
	o.againIov.SetLen(len(packet))
	m := &o.again[0]
	address(m, &to.to, to.control)
	m.header.Iov = &o.againIov
	m.header.SetIovlen(1)
	return o.again[:]
}

// putSegment writes the control message of UDP_SEGMENT: the size of all
// datagrams of the train but the last, which may be shorter.
func putSegment(b []byte, size int) int {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(b[unix.CmsgLen(0):], uint16(size))
	return segmentControl
}

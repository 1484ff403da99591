package batch

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestLearn: what an error of a train teaches where its datagrams pass alone.
func TestLearn(t *testing.T) {
	for _, test := range []struct {
		name    string
		errno   syscall.Errno
		size    int
		on      bool
		ceiling int32
	}{
		{"over the MTU", unix.EMSGSIZE, 1400, true, 1400},
		{"over the MTU of a narrow path", unix.EMSGSIZE, 100, true, 100},
		{"over the MTU, as older kernels say it", unix.EINVAL, 1400, true, 1400},
		{"unknown", unix.EINVAL, 500, false, 0},
		{"no checksums", unix.EIO, 1400, false, 0},
		{"full", unix.EAGAIN, 1200, true, 0},
		{"no route", unix.ENETUNREACH, 1200, true, 0},
	} {
		told := 0
		e := &Engine{refused: func(error) { told++ }}
		e.segments.Store(true)
		var c ceiling
		for range 2 {
			e.learn(test.errno, test.size, &c)
		}
		if e.Segments() != test.on || c.size.Load() != test.ceiling {
			t.Errorf("%s: trains %t, below %d bytes", test.name, e.Segments(), c.size.Load())
		}
		if told > 1 || (told == 1) == test.on {
			t.Errorf("%s: it was told %d times", test.name, told)
		}
	}
}

func TestLimit(t *testing.T) {
	e := new(Engine)
	e.segments.Store(true)
	var here, elsewhere ceiling
	for size, want := range map[int]int{0: 1, 1: 16, 5: 54, 48: 63, 172: 63, 1200: 54, 9000: 7, 40000: 1, 65507: 1} {
		if got := e.limit(size, &here); got != want {
			t.Errorf("%d bytes: %d, want %d", size, got, want)
		}
	}
	e.learn(unix.EMSGSIZE, 1300, &here)
	e.learn(unix.EMSGSIZE, 1400, &here) // by somebody who was late
	if e.limit(1299, &here) == 1 || e.limit(1300, &here) != 1 {
		t.Error("trains end at another size than what was refused")
	}
	if e.limit(1300, &elsewhere) == 1 {
		t.Error("trains end elsewhere too")
	}
	e.segments.Store(false)
	if e.limit(172, &here) != 1 {
		t.Error("trains after they were given up")
	}
}

// TestNotTheTrain: what can't leave alone either says nothing about trains.
func TestNotTheTrain(t *testing.T) {
	r := newRig(t, 1, true)
	r.peer = netip.MustParseAddrPort("127.0.0.1:0") // EINVAL, whatever is sent there
	client := dialUDP(t, r.address)
	for range 3 {
		client.Write(packet(0, 100))
	}
	peer, to := dialUDP(t, r.relayAddress), r.listener.NewClient(r.peer, nil)
	r.client.Store(to)
	r.silent = true
	for range 3 {
		peer.Write(packet(0, 100))
	}
	r.engine.Start()
	eventually(t, "all are lost", func() bool { return r.lost[Up].Load() == 3 && r.lost[Down].Load() == 3 })
	if !r.engine.Segments() || r.refused.Load() > 0 || r.relay.ceiling.size.Load() != 0 || to.ceiling.size.Load() != 0 {
		t.Error("there are no trains any more")
	}
}

// mending is a Tally that mends at the first loss what was in the way.
type mending struct {
	mend       func()
	sent, lost int
}

func (m *mending) Sent(_ Direction, packets, _ int) { m.sent += packets }

func (m *mending) Lost(_ Direction, packets int, _ syscall.Errno) {
	m.lost += packets
	m.mend()
}

// TestMendedHalfway: a train that was refused teaches nothing where the cause went away
// before the last of its datagrams was sent alone.
func TestMendedHalfway(t *testing.T) {
	e := &Engine{refused: func(why error) { t.Errorf("no trains any more: %v", why) }}
	e.segments.Store(true)
	file, _ := openSocket(t, "127.0.0.1:0", false)
	defer file.Close()
	fd := int(file.Fd())
	receiver, _ := openSocket(t, "127.0.0.1:0", false)
	defer receiver.Close()
	name, err := unix.Getsockname(int(receiver.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	bad := netip.MustParseAddrPort("127.0.0.1:0") // EINVAL, whatever is sent there
	good := netip.AddrPortFrom(bad.Addr(), uint16(name.(*unix.SockaddrInet4).Port))
	const count = 3

	r, up := &Relay{fd: fd, first: -1, last: -1}, new(mending)
	var u uplink
	u.init(e)
	up.mend = func() {
		for i := range u.ups {
			u.ups[i].to = good
		}
	}
	for range count {
		u.add(r, packet(0, 100), bad, up)
	}
	u.flush((*uplink).send)

	w := &Worker{engine: e, sockets: []*socket{{fd: fd}}, downs: make([]downward, 0, count)}
	w.out.init(count, count)
	c, down := &Client{listener: &Listener{sockets: w.sockets}}, new(mending)
	c.to.set(bad, false)
	down.mend = func() { c.to.set(good, false) }
	for range count {
		w.ToClient(c, packet(0, 100), 100, down)
	}
	w.flushDown()

	for _, m := range []*mending{up, down} {
		if m.lost != 1 || m.sent != count-1 {
			t.Errorf("%d lost and %d sent, want 1 and %d", m.lost, m.sent, count-1)
		}
	}
}

// TestTrainsThatCome: a train that a client or a peer has sent as one is passed on
// whole and in order.
func TestTrainsThatCome(t *testing.T) {
	r := newRig(t, 1, true)
	for _, fd := range []int{r.listener.sockets[0].fd, r.relay.fd} {
		if on, err := unix.GetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO); on != 1 {
			t.Fatalf("UDP_GRO is %d: %v", on, err)
		}
	}
	peer, client := r.openPeer(t), dialUDP(t, r.address)
	r.engine.Start()
	client.Write(nil) // so that the peer's trains find it
	wantPackets(t, peer, []int{0})
	passed := 0
	for _, sizes := range [][]int{
		repeat(1200, 16), append(repeat(1200, 15), 700), append(repeat(172, 49), 1), repeat(1, 64), {1200}, repeat(9000, 7),
	} {
		sendTrain(t, client, nil, sizes)
		wantPackets(t, peer, sizes)
		sendTrain(t, peer, net.UDPAddrFromAddrPort(r.relayAddress), sizes)
		wantPackets(t, client, sizes)
		passed += len(sizes)
	}
	eventually(t, "all are counted", func() bool {
		return r.sent[Up].Load() == int64(1+passed) && r.sent[Down].Load() == int64(passed)
	})
}

func sendTrain(t *testing.T, from *net.UDPConn, to *net.UDPAddr, sizes []int) {
	t.Helper()
	var train, control []byte
	for i, size := range sizes {
		train = append(train, packet(i, size)...)
	}
	if len(sizes) > 1 {
		control = make([]byte, segmentControl)
		putSegment(control, sizes[0])
	}
	if _, _, err := from.WriteMsgUDP(train, control, to); err != nil {
		t.Fatal(err)
	}
}

// TestSpread: each datagram of a train gets its room in front of it, and stays as
// it is.
func TestSpread(t *testing.T) {
	w := &Worker{handler: &passOn{}}
	arena, err := newArena(1)
	if err != nil {
		t.Fatal(err)
	}
	defer arena.free()
	slot := arena.slot(0)
	for _, test := range []struct{ received, segment, size, count int }{
		{1000, 0, 1000, 1}, {0, 0, 0, 1}, {1000, 1000, 1000, 1}, {1000, 2000, 1000, 1},
		{1000, 300, 300, 4}, {900, 300, 300, 3}, {65507, 512, 512, 128}, {65507, 1, 1, 128},
	} {
		size, count := w.cut(test.received, test.segment)
		if size != test.size || count != test.count {
			t.Errorf("%+v: %d of %d", test, count, size)
			continue
		}
		want := packet(3, test.received)
		copy(slot[Headroom:], want)
		spread(slot, test.received, size, count)
		for i := range count {
			n := min(size, test.received-i*size)
			if got := slot[i*(size+Headroom)+Headroom:][:n]; !bytes.Equal(got, want[i*size:][:n]) {
				t.Errorf("%+v: datagram %d is another", test, i)
			}
		}
	}
}

// TestControl: what the kernel says of a datagram is read in any order, and what
// is cut off or unknown is passed over.
func TestControl(t *testing.T) {
	said := func(level, kind int32, data ...byte) []byte {
		b := make([]byte, unix.CmsgSpace(len(data)))
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
		h.Level, h.Type = level, kind
		h.SetLen(unix.CmsgLen(len(data)))
		copy(b[unix.CmsgLen(0):], data)
		return b
	}
	all := slices.Concat(
		said(unix.IPPROTO_UDP, unix.UDP_GRO, binary.NativeEndian.AppendUint32(nil, 1200)...),
		said(unix.SOL_SOCKET, unix.SO_TIMESTAMP, 1, 2, 3),
		said(unix.IPPROTO_IP, unix.IP_PKTINFO, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1),
		said(unix.SOL_SOCKET, unix.SO_RXQ_OVFL, binary.NativeEndian.AppendUint32(nil, 7)...),
	)
	want := control{local: mapped([4]byte{192, 0, 2, 1}), counted: true, lost: 7, segment: 1200}
	var got control
	if got.read(all); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for n := range all {
		got = control{}
		got.read(all[:n])
		if got.segment != 0 && got.segment != 1200 || got.lost != 0 && got.lost != 7 {
			t.Fatalf("of %d bytes: %+v", n, got)
		}
	}
}

// TestTry: here everything is there.
func TestTry(t *testing.T) {
	if got := Try(); got.Err != nil || got.Segments != nil {
		t.Errorf("%+v", got)
	}
}

// TestTryNotices: datagrams that are not as they were sent are noticed.
func TestTryNotices(t *testing.T) {
	from, to, err := tryPair()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(from)
	defer unix.Close(to)
	unix.Write(from, []byte("spoilt"))
	if err := tryTrain(from, to, 100, []int{100, 100}); err == nil {
		t.Error("a spoilt datagram was not noticed")
	}
}

package bench

import (
	"bytes"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestStampFindsDamage(t *testing.T) {
	sent := stamp{flow: 7, way: down, counted: true, number: 1 << 40, sent: time.Second}
	packet := make([]byte, channelSize+singleSize)
	putChannel(packet, channelOf(7), singleSize)
	sent.put(packet[channelSize:])
	payload, err := takeChannel(packet, channelOf(7))
	if err != nil {
		t.Fatal(err)
	}
	var got stamp
	if err := got.read(payload, singleSize); err != nil || got != sent {
		t.Fatalf("%+v (%v), want %+v", got, err, sent)
	}
	for i := range payload {
		changed := bytes.Clone(payload)
		changed[i]++
		if got.read(changed, singleSize) == nil && got == sent {
			t.Errorf("byte %d can change unseen", i)
		}
	}
	if got.read(payload[:len(payload)-1], singleSize) == nil {
		t.Error("a payload can be cut unseen")
	}
	if _, err := takeChannel(packet, channelOf(8)); err == nil {
		t.Error("a channel can be another unseen")
	}
	if _, err := takeChannel(packet[:len(packet)-1], channelOf(7)); err == nil {
		t.Error("ChannelData can be cut unseen")
	}
}

func TestTrack(t *testing.T) {
	track := track{next: 300, begun: 100}
	for _, step := range []struct {
		number uint64
		want   arrival
	}{
		{100, inOrder}, {103, inOrder}, {101, reordered}, {101, duplicate}, {103, duplicate}, {102, reordered},
		{299, inOrder}, {300, unsent}, {99, stale}, {298, reordered}, {298, duplicate}, {150, reordered},
	} {
		if got := track.arrive(step.number); got != step.want {
			t.Errorf("%d: %d, want %d", step.number, got, step.want)
		}
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	if h.quantile(0.5) != 0 {
		t.Error("nothing has a median")
	}
	for us := 1; us <= 1000; us++ {
		h.add(time.Duration(us) * time.Microsecond)
	}
	h.add(time.Hour)
	for q, want := range map[float64]float64{0: 1, 0.5: 501, 0.99: 991} {
		if got := h.quantile(q); math.Abs(got-want) > want/100 {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if got := testing.AllocsPerRun(100, func() { h.add(time.Millisecond) }); got > 0 {
		t.Errorf("%v allocations a value", got)
	}
}

// TestRatioOf: a machine that is four times as slow in the last round changes nothing.
func TestRatioOf(t *testing.T) {
	itself := func(v float64) float64 { return v }
	if got := ratioOf([]float64{5, 20, 36}, []float64{10, 20, 40}, itself); got != 0.9 {
		t.Errorf("%v, want 0.9", got)
	}
	if got := ratioOf(nil, []float64{10}, itself); got != 0 {
		t.Errorf("nothing by something is %v", got)
	}
}

// TestTraffic goes once through all flows: each has its share in each direction,
// and the trains come at the rate.
func TestTraffic(t *testing.T) {
	both := traffic{"trains", 20, "both", 32000}
	shares := make(map[[2]int]int)
	for n := range 80 {
		flow, way := both.turn(n)
		shares[[2]int{flow, int(way)}]++
	}
	for share, n := range shares {
		if n != 2 || len(shares) != 40 {
			t.Errorf("flow %d, direction %d: %d trains of 80, in %d shares", share[0], share[1], n, len(shares))
		}
	}
	if got := both.due(2000); got != time.Second {
		t.Errorf("the train 2000 is due after %v", got)
	}
}

func TestReadDrops(t *testing.T) {
	got, err := readDrops(strings.NewReader(`# HELP icebox_turn_dropped_packets_total Datagrams.
icebox_turn_dropped_packets_total{cause="no-channel"} 3
icebox_turn_packets_total{direction="up"} 10
`))
	if err != nil || len(got) != 1 || got["no-channel"] != 3 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestMaskedAddress(t *testing.T) {
	a := netip.MustParseAddrPort("192.0.2.1:32853") // RFC 5769 section 2.2
	want := []byte{0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43}
	if got := masked(a); !bytes.Equal(got, want) || unmasked(got) != a {
		t.Errorf("% x and %v, want % x", got, unmasked(got), want)
	}
	if unmasked(want[:7]).IsValid() {
		t.Error("half an address is one")
	}
}

// someFrames are frames as a stream has them: ChannelData of many sizes, and a STUN message.
func someFrames() (list [][]byte) {
	for size := range 40 {
		frame := make([]byte, padded(channelSize+size))
		putChannel(frame, channelOf(size), size)
		copy(frame[channelSize:channelSize+size], filler)
		list = append(list, frame)
	}
	return append(list, newMessages(userName, realm, password).ask(nil))
}

// TestStreamPieces cuts a stream into pieces of any size: the same frames come out.
func TestStreamPieces(t *testing.T) {
	want := someFrames()
	whole := bytes.Join(want, nil)
	for piece := 1; piece <= len(whole); piece++ {
		var s stream
		var got [][]byte
		for rest := whole; len(rest) > 0; rest = rest[min(piece, len(rest)):] {
			s.add(rest[:min(piece, len(rest))])
			for frame, err := s.next(); frame != nil || err != nil; frame, err = s.next() {
				if err != nil {
					t.Fatalf("pieces of %d: %v", piece, err)
				}
				got = append(got, bytes.Clone(frame))
			}
		}
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("pieces of %d: %d frames of %d, or not the same", piece, len(got), len(want))
		}
	}
	var s stream
	s.add([]byte("SSH-2.0-OpenSSH"))
	if _, err := s.next(); err == nil {
		t.Error("a stream can be out of step unseen")
	}
}

// TestStreamWaits writes more than a socket takes: it waits, and all of it comes in the end,
// in its order.
func TestStreamWaits(t *testing.T) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ends[0])
	defer unix.Close(ends[1])
	var s stream
	var sent, received []byte
	for i := range 1000 {
		b := filler[i : i+1000]
		sent = append(sent, b...)
		if err := s.put(ends[0], b, i >= 500); err != nil {
			t.Fatal(err)
		}
	}
	if s.counted != 500*1000 {
		t.Errorf("%d counted bytes wait, want all", s.counted)
	}
	buf := make([]byte, 10007)
	for len(received) < len(sent) {
		n, err := unix.Read(ends[1], buf)
		if err != nil {
			t.Fatalf("after %d of %d bytes: %v", len(received), len(sent), err)
		}
		received = append(received, buf[:n]...)
		if err := s.flush(ends[0]); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(received, sent) || s.counted != 0 || len(s.out) != 0 {
		t.Errorf("not what was sent, or %d bytes wait, %d counted", len(s.out), s.counted)
	}
}

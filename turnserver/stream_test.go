package turnserver

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
	"time"

	"github.com/pion/stun/v2"
)

// overStream has the pipeline's client be one over TCP.
func (p *pipeline) overStream(t testing.TB) *testClient {
	t.Helper()
	p.server.End(p.session.id)
	c := dial(t, p.server, "tcp")
	p.relay = c.allocate()
	p.session = sessionOf(t, p.server)
	p.admit()
	return c
}

// channelFrame is payload in ChannelData of the pipeline's channel, as on a stream.
func channelFrame(payload []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{pipelineChannel >> 8, pipelineChannel & 0xFF}, uint16(len(payload)))
	b = append(b, payload...)
	return append(b, make([]byte, -len(b)&3)...)
}

// mixed are payloads as trains are cut from them, and larger than a buffer.
func mixed() (payloads [][]byte) {
	sizes := []int{1, 172, 172, 0, 172, 1200, 700, 700, 9000, 40000, 3, 3, 2, 4, 60000}
	for range 100 {
		sizes = append(sizes, 1100)
	}
	for i, size := range append(sizes, 1, 5000) {
		payloads = append(payloads, bytes.Repeat([]byte{byte(i), byte(size), 0x5A}, size)[:size])
	}
	return payloads
}

// eachPath runs a test over both data paths, where this host has them.
func eachPath(t *testing.T, test func(t *testing.T)) {
	for _, path := range []string{"plain", "auto"} {
		t.Run(path, func(t *testing.T) {
			t.Setenv("ICEBOX_TURN_RELAY_DATAPATH", path)
			test(t)
		})
	}
}

// TestTogether: what comes together over a stream leaves whole, in its order, and is
// counted; requests in between are answered.
func TestTogether(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		p := newPipeline(t)
		c := p.overStream(t)
		p.peer.SetReadBuffer(4 << 20)
		payloads := mixed()
		var all []byte
		for i, payload := range payloads {
			all = append(all, channelFrame(payload)...)
			if i%50 == 0 {
				all = append(all, stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw...)
			}
		}
		c.write(all)
		buf := make([]byte, 65536)
		p.peer.SetReadDeadline(time.Now().Add(patience))
		for i, want := range payloads {
			n, _, err := p.peer.ReadFromUDPAddrPort(buf)
			if err != nil {
				t.Fatalf("datagram %d of %d: %v", i, len(payloads), err)
			}
			if !bytes.Equal(buf[:n], want) {
				t.Fatalf("datagram %d has %d bytes, want %d, or others", i, n, len(want))
			}
		}
		for range (len(payloads) + 49) / 50 {
			if c.read(patience) == nil {
				t.Fatal("a request was not answered")
			}
		}
		eventually(t, "all are counted", func() bool { return p.session.upPackets.Load() == uint64(len(payloads)) })
	})
}

// TestEndsInBetween: of what comes together, what is before the end of the session
// passes, and what is after it does not.
func TestEndsInBetween(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		p := newPipeline(t)
		c := p.overStream(t)
		before, after := channelFrame([]byte("before")), channelFrame([]byte("after!"))
		end := stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(stun.MethodRefresh, stun.ClassRequest)},
			c.signed([]stun.Setter{lifetime(0)})...)...).Raw
		c.write(bytes.Join([][]byte{before, before, end, after, after}, nil))
		buf := make([]byte, 64)
		for range 2 {
			p.peer.SetReadDeadline(time.Now().Add(patience))
			n, _, err := p.peer.ReadFromUDPAddrPort(buf)
			if err != nil || string(buf[:n]) != "before" {
				t.Fatalf("the peer got %q, %v", buf[:n], err)
			}
		}
		eventually(t, "the rest is dropped", func() bool { return p.server.guard.stats.orphans.Load() == 2 })
		p.peer.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if n, _, err := p.peer.ReadFromUDPAddrPort(buf); err == nil {
			t.Errorf("the peer got %q", buf[:n])
		}
	})
}

// TestTogetherInHand: who ends a session waits until what it has let pass is sent.
func TestTogetherInHand(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		p := newPipeline(t)
		s := &stream{owner: p.server.streams, bundle: p.server.guard.path.bundle()}
		s.handle(p.session, p.up, new(message))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			p.server.End(p.session.id)
		}()
		eventually(t, "the session is ending", p.session.over)
		select {
		case <-ended:
			t.Error("it had ended before")
		case <-time.After(10 * time.Millisecond):
		}
		s.pass()
		<-ended
	})
}

// TestStreamAllocatesNothing is TestAllocatesNothing of a client over TCP.
func TestStreamAllocatesNothing(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		p := newPipeline(t)
		c := p.overStream(t)
		const times, count = 500, 20
		p.up = bytes.Repeat(p.up, count)
		pass := func() {
			c.write(p.up)
			drain(t, p.peer, count)
		}
		pass() // what is made once
		objects := mallocs()
		for range times {
			pass()
		}
		if n := float64(mallocs()-objects) / (times * count); n > mallocsAllowed {
			t.Errorf("%.2f allocations a packet", n)
		}
	})
}

// TestFrames: however a stream is cut, its frames come whole, and no more memory is held
// than that takes.
func TestFrames(t *testing.T) {
	var all []byte
	payloads := mixed()
	for _, payload := range payloads {
		all = append(all, channelFrame(payload)...)
	}
	for name, in := range map[string]io.Reader{
		"at once":                     bytes.NewReader(all),
		"bytes":                       iotest.OneByteReader(bytes.NewReader(all)),
		"halves":                      iotest.HalfReader(bytes.NewReader(all)),
		"pieces":                      &pieces{bytes.NewReader(all)},
		"the end comes with the last": iotest.DataErrReader(bytes.NewReader(all)),
	} {
		f := newFrames(in)
		for i, want := range payloads {
			packet, err := f.take(maxFrame)
			if err != nil {
				t.Fatalf("%s: frame %d: %v", name, i, err)
			}
			if !bytes.Equal(packet[channelHeader:], want) {
				t.Fatalf("%s: frame %d has %d bytes, want %d, or others", name, i, len(packet), len(want))
			}
		}
		if err := f.fill(maxFrame); err != io.EOF || f.room != nil || len(f.own) > 2048 {
			t.Errorf("%s: the end is %v, with %d bytes held, shared ones %t", name, err, len(f.own), f.room != nil)
		}
	}
}

// TestFramesThatFill: much is read at once, also where frames end just where a buffer does.
func TestFramesThatFill(t *testing.T) {
	for _, size := range []int{256, 512, 1024, 2048, 1020} {
		const frames = 200
		all := &counted{in: bytes.NewReader(bytes.Repeat(channelFrame(make([]byte, size-channelHeader)), frames))}
		f := newFrames(all)
		for range frames {
			if _, err := f.take(maxFrame); err != nil {
				t.Fatal(err)
			}
		}
		if most := frames*size/maxFrame + 3; all.reads > most {
			t.Errorf("frames of %d bytes took %d reads, want %d at most", size, all.reads, most)
		}
		f.close()
	}
}

// counted counts reads.
type counted struct {
	in    io.Reader
	reads int
}

func (c *counted) Read(b []byte) (int, error) { c.reads++; return c.in.Read(b) }

// pieces reads as many bytes as chance will have it.
type pieces struct{ in io.Reader }

func (p *pieces) Read(b []byte) (int, error) { return p.in.Read(b[:1+rand.IntN(len(b))]) }

// TestFramesOfStrangers: one who has not authenticated gets no large buffer.
func TestFramesOfStrangers(t *testing.T) {
	frame := channelFrame(make([]byte, strangerFrame-channelHeader))
	f := newFrames(bytes.NewReader(append(bytes.Repeat(channelFrame(make([]byte, 96)), 22), frame...)))
	most := 0
	for range 23 {
		if _, err := f.take(strangerFrame); err != nil {
			t.Fatal(err)
		}
		most = max(most, len(f.buf))
	}
	if most > strangerFrame || f.room != nil {
		t.Errorf("he had %d bytes", most)
	}
	requests := bytes.Repeat(channelFrame(make([]byte, 96)), 10_000)
	f.in = bytes.NewReader(requests)
	objects := mallocs()
	for range 10_000 {
		if _, err := f.take(strangerFrame); err != nil {
			t.Fatal(err)
		}
	}
	if n := mallocs() - objects; n > 100 {
		t.Errorf("%d objects for 10,000 frames", n)
	}
}

package turnserver

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/pion/stun/v2"
)

// BenchmarkAllocate is one Allocate and one Refresh with a lifetime of 0,
// through the guard and pion.
func BenchmarkAllocate(b *testing.B) {
	s := startServer(b, nil)
	o := origin{
		tuple:  tuple{client: netip.MustParseAddrPort("1.1.1.1:9"), local: netip.MustParseAddrPort("127.0.0.1:3478")},
		client: new(discard),
		user:   identity{username: "admin"},
	}
	c := &testClient{user: "admin", pass: "secret", nonce: []byte(s.guard.nonces.make(o.tuple, s.clock.now()))}
	build := func(method stun.Method, attrs ...stun.Setter) []byte {
		return stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, c.signed(attrs)...)...).Raw
	}
	begin, end := build(stun.MethodAllocate, requestedUDP), build(stun.MethodRefresh, lifetime(0))
	b.ReportAllocs()
	for b.Loop() {
		s.guard.handle(&o, begin)
		s.guard.handle(&o, end)
	}
	if n := int(s.sessions.begun.Load()); n < b.N {
		b.Fatalf("%d sessions began, want %d", n, b.N)
	}
}

// BenchmarkCollections prints the longest pause of the collections that are made
// one after the other while packets pass both ways, in milliseconds.
func BenchmarkCollections(b *testing.B) {
	p := newPipeline(b)
	up, down := p.floods(b)
	var before, after debug.GCStats
	after.PauseQuantiles = make([]time.Duration, 2)
	debug.ReadGCStats(&before)
	for b.Loop() {
		runtime.GC()
	}
	debug.ReadGCStats(&after)
	longest := time.Duration(0)
	for _, pause := range after.Pause[:min(len(after.Pause), int(after.NumGC-before.NumGC))] {
		longest = max(longest, pause)
	}
	b.ReportMetric(float64(longest.Microseconds())/1000, "ms/longest-pause")
	up.end()
	down.end()
	if up.heard.Load() == 0 || down.heard.Load() == 0 {
		b.Error("no packets passed")
	}
}

// BenchmarkMemory prints the heap and stack bytes of an idle session.
func BenchmarkMemory(b *testing.B) {
	s := startServer(b, nil)
	before := memoryInUse()
	c := &testClient{user: "admin", pass: "secret"}
	for i := range b.N {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 0x01000000+uint32(i))
		o := origin{
			tuple:  tuple{client: netip.AddrPortFrom(netip.AddrFrom4(a), 9), local: netip.MustParseAddrPort("127.0.0.1:3478")},
			client: new(discard),
			user:   identity{username: "admin"},
		}
		c.nonce = []byte(s.guard.nonces.make(o.tuple, s.clock.now()))
		s.guard.handle(&o, stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)},
			c.signed([]stun.Setter{requestedUDP})...)...).Raw)
	}
	b.ReportMetric(float64(memoryInUse()-before)/float64(len(s.Sessions())), "B/session")
}

// memoryInUse is what the heap and the stacks take after two collections.
func memoryInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

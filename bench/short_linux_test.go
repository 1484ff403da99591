package bench

import (
	"testing"
	"time"

	"icebox/natlab"
)

// relayField is three hosts in a row, without a router: client, box, peer.
func relayField(tb testing.TB) *field {
	tb.Helper()
	lab := natlab.New(tb)
	f := &field{
		server: lab.Host("box", "198.51.100.10"),
		client: lab.Host("client", "203.0.113.20"),
		peer:   lab.Host("peer", "192.0.2.30"),
	}
	lab.Wire(f.client, f.server)
	lab.Wire(f.server, f.peer)
	return f
}

// The short form of the benchmark: its load is one that anything can carry, and
// what may be lost of it is more than a machine loses that does much else.
const (
	shortFlows   = 20
	shortRate    = 2000
	shortWarm    = 200 * time.Millisecond
	shortCounted = time.Second
	mayBeLost    = 0.50
)

// TestRelayShort relays little traffic for a short time. It fails where packets
// are damaged or misdelivered, or where flows carry none, and never for how long anything takes.
func TestRelayShort(t *testing.T) {
	f := relayField(t)
	f.arrange(t, false)
	raiseFiles(t, shortFlows*2+spare)
	for _, c := range iceboxes(t) {
		t.Run(c.name, func(t *testing.T) {
			if c.refused != "" {
				t.Log("not there yet: " + c.refused)
				return
			}
			f.with(t, c.contender, func(pid int) error { return shortRuns(t, f, pid) })
		})
	}
}

// shortRuns has new flows for each kind of packets.
func shortRuns(t *testing.T, f *field, pid int) error {
	for i, kind := range []string{"singles", "trains", "tcp-trains"} {
		if err := shortRun(t, f, pid, i*shortFlows, traffic{kind, shortFlows, "both", shortRate}); err != nil {
			return err
		}
	}
	return nil
}

func shortRun(t *testing.T, f *field, pid, above int, what traffic) error {
	w, err := f.flowsFrom(above, what.socket(), what.flows)
	if err != nil {
		return err
	}
	defer w.close()
	m, err := f.relay(pid, w, run{traffic: what, warm: shortWarm, counted: shortCounted, drops: true})
	if err != nil {
		return err
	}
	t.Logf("%s: %v", what.kind, m)
	if silent := w.silent(); m.Loss > mayBeLost || silent != "" {
		t.Errorf("%s: of %.0f a second %.0f were relayed%s: %+v", what.kind, m.Offered, m.Relayed, silent, m.Causes)
	}
	return nil
}

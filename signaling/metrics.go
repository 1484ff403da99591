package signaling

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// stats counts from the start of the Server.
type stats struct {
	joined, resumed         atomic.Uint64
	messagesIn, messagesOut atomic.Uint64
	bytesIn, bytesOut       atomic.Uint64
	refusals                map[string]*atomic.Uint64 // by reason; the map never changes
}

func (st *stats) init() {
	st.refusals = make(map[string]*atomic.Uint64, len(refusals))
	for _, no := range refusals {
		st.refusals[no.reason] = new(atomic.Uint64)
	}
}

func (st *stats) refused(no *refusal) { st.refusals[no.reason].Add(1) }

func (st *stats) received(size int) {
	st.messagesIn.Add(1)
	st.bytesIn.Add(uint64(size))
}

func (st *stats) sent(c *chunk) {
	st.messagesOut.Add(uint64(c.messages))
	st.bytesOut.Add(uint64(c.bytes))
}

// Collector gives Prometheus the figures of this Server:
//
//	icebox_signaling_sockets                       now
//	icebox_signaling_rooms                         now
//	icebox_signaling_queued_bytes                  now, for all sockets
//	icebox_signaling_sockets_total                 that were let in
//	icebox_signaling_resumed_total                 of those, peers that came back
//	icebox_signaling_messages_total{direction}     in: from peers; out: written to peers
//	icebox_signaling_bytes_total{direction}        of those; out: with frame headers
//	icebox_signaling_refusals_total{reason}        reasons as in docs/OPERATIONS.md
func (s *Server) Collector() prometheus.Collector { return &collector{s} }

// Sockets is how many are connected, those that are being refused aside.
func (s *Server) Sockets() int { return s.gate.sockets() }

type collector struct{ server *Server }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("icebox_signaling_"+name, help, labels, nil)
}

var (
	descSockets  = desc("sockets", "Signaling sockets that are connected.")
	descRooms    = desc("rooms", "Rooms that somebody is in, or may come back to.")
	descQueued   = desc("queued_bytes", "Bytes that wait to be written to sockets.")
	descJoined   = desc("sockets_total", "Signaling sockets that were let in.")
	descResumed  = desc("resumed_total", "Peers that came back after their connection was lost.")
	descMessages = desc("messages_total", "Messages from (in) and to (out) sockets.", "direction")
	descBytes    = desc("bytes_total", "Bytes of messages from (in) and to (out) sockets.", "direction")
	descRefusals = desc("refusals_total", "Sockets that were not let in or had to go, by reason.", "reason")
)

func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descSockets, descRooms, descQueued, descJoined, descResumed, descMessages, descBytes, descRefusals} {
		ch <- d
	}
}

func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	counter := func(d *prometheus.Desc, v *atomic.Uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v.Load()), labels...)
	}
	st := &c.server.stats
	gauge(descSockets, float64(c.server.gate.sockets()))
	gauge(descRooms, float64(c.server.hall.count()))
	gauge(descQueued, float64(c.server.queued.Load()))
	counter(descJoined, &st.joined)
	counter(descResumed, &st.resumed)
	counter(descMessages, &st.messagesIn, "in")
	counter(descMessages, &st.messagesOut, "out")
	counter(descBytes, &st.bytesIn, "in")
	counter(descBytes, &st.bytesOut, "out")
	for reason, n := range st.refusals {
		counter(descRefusals, n, reason)
	}
}

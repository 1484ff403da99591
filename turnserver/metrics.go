package turnserver

import (
	"strconv"
	"sync/atomic"

	"github.com/pion/stun/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// refusalCounts count error answers by their code, 300 to 699.
type refusalCounts [400]atomic.Uint64

func (c *refusalCounts) count(code stun.ErrorCode) {
	if i := int(code) - 300; i >= 0 && i < len(c) {
		c[i].Add(1)
	}
}

var (
	descSessions    = desc("sessions", "Live sessions, by transport of the client.", "transport")
	descBegun       = desc("sessions_total", "Sessions begun since the start.")
	descPorts       = desc("relay_ports_free", "Free relay ports, by address family.", "family")
	descPackets     = desc("packets_total", "Relayed datagrams: up is from client to peer.", "direction")
	descBytes       = desc("bytes_total", "Bytes of relayed payload: up is from client to peer.", "direction")
	descDrops       = desc("dropped_packets_total", "Datagrams that were not passed on, by cause.", "cause")
	descRequests    = desc("requests_total", "Requests, by method.", "method")
	descRefusals    = desc("refusals_total", "Requests answered with an error, by code.", "code")
	descUnanswered  = desc("unanswered_total", "Requests left unanswered: too many from one address or in one session.")
	descMalformed   = desc("malformed_total", "Packets that were neither sound STUN nor ChannelData.")
	descOrphans     = desc("orphans_total", "Data of clients without a session.")
	descPath        = desc("datapath_info", "The data path that carries packets, and whether runs of them leave as one (UDP_SEGMENT).", "datapath", "trains", "reason")
	descConnections = desc("connections", "Open TURN connections over TCP and TLS.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("icebox_turn_"+name, help, labels, nil)
}

// Collector is the server's metrics: icebox_turn_*.
func (s *Server) Collector() prometheus.Collector { return (*collector)(s) }

type collector Server

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descSessions, descBegun, descPorts, descPackets, descBytes, descDrops, descRequests,
		descRefusals, descUnanswered, descMalformed, descOrphans, descPath, descConnections,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	byTransport, total := c.tally()
	for t := range byTransport {
		gauge(descSessions, float64(byTransport[t]), transport(t).String())
	}
	count(descBegun, c.sessions.begun.Load())
	gauge(descPorts, float64(c.sessions.relays.family[0].ports.available()), "ipv4")
	gauge(descPorts, float64(c.sessions.relays.family[1].ports.available()), "ipv6")
	count(descPackets, total.upPackets.Load(), "up")
	count(descPackets, total.downPackets.Load(), "down")
	count(descBytes, total.upBytes.Load(), "up")
	count(descBytes, total.downBytes.Load(), "down")
	for why := range total.drops {
		count(descDrops, total.drops[why].Load(), dropNames[why])
	}
	lost := c.path.lost()
	count(descDrops, lost.unread, "unread")
	count(descDrops, lost.requests, "requests")
	path := (*Server)(c).Path()
	gauge(descPath, 1, path.Name, strconv.FormatBool(path.Trains), path.Reason)
	stats := &c.guard.stats
	for i := range stats.requests {
		count(descRequests, stats.requests[i].Load(), methodNames[i])
	}
	for i := range stats.refusals {
		if n := stats.refusals[i].Load(); n > 0 {
			count(descRefusals, n, strconv.Itoa(300+i))
		}
	}
	count(descUnanswered, stats.unanswered.Load())
	count(descMalformed, stats.malformed.Load())
	count(descOrphans, stats.orphans.Load())
	gauge(descConnections, float64(c.streams.count()))
}

// tally counts the live sessions, and what they and the past ones have relayed.
// Each session is counted once, also one that ends meanwhile.
func (c *collector) tally() (byTransport [3]int, total *counters) {
	c.sessions.tally.Lock()
	defer c.sessions.tally.Unlock()
	total = new(counters)
	total.merge(&c.sessions.past)
	for _, s := range c.sessions.table.all() {
		byTransport[s.tuple.transport]++
		total.merge(&s.counters)
	}
	return byTransport, total
}

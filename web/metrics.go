package web

import "github.com/prometheus/client_golang/prometheus"

var (
	connectionsDesc = prometheus.NewDesc("icebox_signaling_connections",
		"TCP connections of the signaling port that are open, WebSockets among them.", nil, nil)
	refusedDesc = prometheus.NewDesc("icebox_signaling_connections_refused_total",
		"TCP connections of the signaling port that were closed before they could ask for anything.",
		[]string{"reason"}, nil)
)

// Collector has the metrics of the signaling port's connections.
func (s *Server) Collector() prometheus.Collector { return collector{s.gate} }

type collector struct{ gate *gate }

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- connectionsDesc
	ch <- refusedDesc
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(connectionsDesc, prometheus.GaugeValue, float64(c.gate.open))
	for _, reason := range []string{refusedMax, refusedAddress, refusedGreeting} {
		ch <- prometheus.MustNewConstMetric(refusedDesc, prometheus.CounterValue, float64(c.gate.refused[reason]), reason)
	}
}

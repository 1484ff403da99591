package certs

import "github.com/prometheus/client_golang/prometheus"

var (
	descNotAfter = prometheus.NewDesc("icebox_tls_not_after_seconds",
		"When the certificate in force ends, in seconds since 1970.", nil, nil)
	descFailures = prometheus.NewDesc("icebox_tls_reload_errors_total",
		"Certificates that were not taken because they were no good.", nil, nil)
)

// Collector returns the metrics of the certificate.
func (s *Source) Collector() prometheus.Collector { return collector{s} }

type collector struct{ source *Source }

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- descNotAfter
	ch <- descFailures
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	if !c.source.Enabled() {
		return
	}
	ch <- prometheus.MustNewConstMetric(descNotAfter, prometheus.GaugeValue, float64(c.source.NotAfter().Unix()))
	ch <- prometheus.MustNewConstMetric(descFailures, prometheus.CounterValue, float64(c.source.failures.Load()))
}

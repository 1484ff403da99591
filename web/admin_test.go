package web

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"icebox/config"
)

func TestAdmin(t *testing.T) {
	registry := prometheus.NewRegistry()
	b := startBox(t, func(_ *config.Config, opt *Options) { opt.Metrics = registry })
	if err := registry.Register(b.Collector()); err != nil {
		t.Fatal(err)
	}
	b.ask("GET", "/healthz")
	base := "http://" + b.AdminAddr().String()
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/healthz", 200, "ok\n"},
		{"GET", "/metrics", 200, "icebox_signaling_connections "},
		{"GET", "/metrics", 200, `icebox_signaling_connections_refused_total{reason="greeting"} 0`},
		{"POST", "/metrics", 405, "GET"},
		{"GET", "/1cs1cs", 404, "nothing"},
		{"GET", "/", 404, "nothing"},
	} {
		res, body := b.askAt(base, c.method, c.path)
		if res.StatusCode != c.status || !strings.Contains(body, c.body) {
			t.Errorf("%s %s: %d %q", c.method, c.path, res.StatusCode, body)
		}
		if res.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s %s: no security headers", c.method, c.path)
		}
	}
}

func TestAdminRefusesForeignHosts(t *testing.T) {
	b := startBox(t, nil)
	base := "http://" + b.AdminAddr().String()
	for host, status := range map[string]int{
		"127.0.0.1":           200,
		"127.0.0.1:9640":      200,
		"localhost:9640":      200,
		"LOCALHOST":           200,
		"icebox.localhost":    200,
		"[::1]:9640":          200,
		"home.example":        421,
		"localhost.example":   421,
		"127.0.0.1.example":   421,
		"192.0.2.1":           421,
		"evil,example":        421,
		"127.0.0.1.nip.io:80": 421,
	} {
		if res, _ := b.askAt(base, "GET", "/healthz", "Host: "+host); res.StatusCode != status {
			t.Errorf("%s: %d, want %d", host, res.StatusCode, status)
		}
	}
}

func TestNoAdmin(t *testing.T) {
	b := startBox(t, func(cfg *config.Config, _ *Options) { cfg.Admin.Listen = "" })
	if b.AdminAddr() != nil {
		t.Error(b.AdminAddr())
	}
}

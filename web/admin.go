package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var errForeignHost = statusError{http.StatusMisdirectedRequest,
	"The admin listener answers to its own address and to localhost only."}

// serveAdmin answers everything on the admin listener.
func (s *Server) serveAdmin(w http.ResponseWriter, r *http.Request) {
	cfg := s.cfg.Load()
	secure(w.Header(), cfg, "")
	s.answer(w, r, func() error {
		if !ownHost(r, cfg.Admin.Listen) {
			return errForeignHost
		}
		switch r.URL.Path {
		case "/healthz":
			return serveHealth(w, r)
		case "/metrics":
			return s.serveMetrics(w, r)
		}
		return errNotFound
	})
}

func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) error {
	if s.opt.Metrics == nil {
		return errNotFound
	}
	if err := readOnly(w, r); err != nil {
		return err
	}
	promhttp.HandlerFor(s.opt.Metrics, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	return nil
}

// ownHost says whether r was sent to the admin listener by a name of it. A page
// of a stranger can make its own name point at this address and have the browser
// of somebody at home ask; that name then stands in the Host header.
func ownHost(r *http.Request, listen string) bool {
	host, err := hostname(r.Host)
	if err != nil {
		return false
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if configured, _, err := net.SplitHostPort(listen); err == nil && strings.EqualFold(host, configured) {
		return true
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return a.Unmap().IsLoopback() || (local != nil && a.Unmap() == remoteAddr(local).Unmap())
}

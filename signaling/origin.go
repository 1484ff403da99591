package signaling

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// origins are those that a browser may connect from, in the form that
// normalOrigin gives them.
type origins struct {
	any  bool
	list map[string]bool
}

// newOrigins takes "*" and scheme://host[:port]. What is neither matches
// nothing; the configuration has refused it before.
func newOrigins(entries []string) origins {
	o := origins{list: make(map[string]bool, len(entries))}
	for _, e := range entries {
		if e == "*" {
			o.any = true
		} else if n, ok := normalOrigin(e); ok {
			o.list[n] = true
		}
	}
	return o
}

// allow says whether a request may come in by its Origin header (RFC 6454 7).
// Without one it is not a browser, which no origin could hold back anyway.
func (o origins) allow(h http.Header) bool {
	values := h["Origin"]
	if len(values) == 0 || o.any {
		return true
	}
	if len(values) > 1 {
		return false
	}
	n, ok := normalOrigin(values[0])
	return ok && o.list[n]
}

var defaultPorts = map[string]string{"http": "80", "ws": "80", "https": "443", "wss": "443"}

// normalOrigin is scheme://host:port in lower case, with an xn-- host, addresses
// in their shortest form and the port always there. It reports false for what is
// no such thing, "null" among it.
func normalOrigin(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	host, ok := normalHost(u.Hostname())
	if !ok {
		return "", false
	}
	port := u.Port()
	if port == "" {
		port = defaultPorts[u.Scheme] // url.Parse has lowered the scheme
	}
	return u.Scheme + "://" + host + ":" + port, true
}

func normalHost(host string) (string, bool) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.String(), true
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		// Names that registries refuse, like one with an underscore, still work
		// in a home network.
		return strings.ToLower(host), host != ""
	}
	return ascii, ascii != ""
}

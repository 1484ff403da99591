package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"icebox/config"
)

// isTrusted says whether a is that of a proxy of signaling.trusted_proxies.
func isTrusted(a netip.Addr, proxies []netip.Prefix) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// client is the address that r comes from: that of the connection, or where it is
// a trusted proxy's, what the proxy says in X-Forwarded-For. Each proxy on the way
// adds at the end whom it has heard, so they are believed from the end on, as long
// as who says it is trusted: what a client itself has put there comes before.
func client(r *http.Request, cfg *config.Config) netip.Addr {
	from := clientAddr(r)
	proxies := cfg.Signaling.TrustedProxies
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= 0 && isTrusted(from, proxies); i-- {
		hop, ok := parseHop(strings.TrimSpace(hops[i]))
		if !ok {
			break
		}
		from = hop
	}
	return from
}

// parseHop reads one of X-Forwarded-For: an address, and some proxies add a port.
func parseHop(text string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return a.Unmap().WithZone(""), err == nil
}

// clientAddr is the address of the connection that r came over, and once serve has
// asked client, the one that it comes from.
func clientAddr(r *http.Request) netip.Addr {
	from, _ := netip.ParseAddrPort(r.RemoteAddr)
	return from.Addr()
}

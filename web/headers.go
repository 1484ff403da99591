package web

import (
	"net/http"
	"net/url"
	"strings"

	"icebox/config"
)

// permissions that the pages need, and the ones that a page never gets.
const permissions = "camera=(self), microphone=(self), display-capture=(self), " +
	"geolocation=(), payment=(), usb=(), serial=()"

// secure sets the headers that every answer carries. There is no HSTS: it goes
// by host name, and would lock the owner out of whatever else answers plain http
// under the same name, such as the router.
func secure(h http.Header, cfg *config.Config, host string) {
	h.Set("Content-Security-Policy", contentPolicy(cfg, host))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", permissions)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// contentPolicy lets a page load what comes from the box and nothing else. Older
// Safari does not count ws and wss as 'self', so those of the own host are named.
func contentPolicy(cfg *config.Config, host string) string {
	connect := []string{"'self'"}
	if _, err := hostname(host); err == nil {
		connect = append(connect, "wss://"+host, "ws://"+host)
	}
	if u, err := url.Parse(cfg.Public.URL); err == nil && u.Host != "" && u.Host != host {
		if _, err := hostname(u.Host); err == nil {
			connect = append(connect, "wss://"+u.Host)
		}
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src 'self' data:",
		"media-src 'self' blob:",
		"connect-src " + strings.Join(connect, " "),
		"frame-ancestors 'none'",
		"base-uri 'none'",
		"form-action 'none'",
	}, "; ")
}

package web

import (
	"net"
	"strconv"
	"strings"

	"icebox/config"
)

// PageURL is the landing page at host, a name or a bare IP address.
func PageURL(scheme, host string, port int) string {
	if scheme == "https" && port == 443 || scheme == "http" && port == 80 {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return scheme + "://" + host
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port))
}

// PublicURL is the landing page as the internet sees it: public.url, else that
// of domain at port. Empty where neither is given.
func PublicURL(cfg *config.Config, scheme string, port int) string {
	if cfg.Public.URL != "" {
		return cfg.Public.URL
	}
	if cfg.Domain == "" {
		return ""
	}
	host, err := PublicHost(cfg, "")
	if err != nil {
		return ""
	}
	return PageURL(scheme, host, port)
}

// RoomLink is the link into a room, where page is the landing page. The token
// stands behind #, so that browsers send it to no server and in no Referer when they
// ask for the page. The page then sends it in the query of /ws/ROOM.
func RoomLink(page, room, token string) string {
	return strings.TrimRight(page, "/") + "/r/" + room + "#" + token
}

// port is that of a listener.
func port(a net.Addr) int {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.Port
	}
	return 0
}

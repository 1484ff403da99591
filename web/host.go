package web

import (
	"errors"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"icebox/config"
	"icebox/internal/hostnet"
)

var errHost = errors.New("not a host name or address")

// A name as it stands in a Host header: labels of letters, digits, hyphens and
// underscores. RFC 1123 §2.1, and what people call their machines.
var dnsName = regexp.MustCompile(`^(?i:[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.(?i:[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?))*\.?$`)

// hostname is the host of a Host header, without port and brackets. What is not
// a name or an address is an error: it is never shown to anybody.
func hostname(header string) (string, error) {
	host := header
	if h, port, err := net.SplitHostPort(header); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", errHost
		}
		if host = h; strings.Contains(h, ":") != strings.HasPrefix(header, "[") {
			return "", errHost
		}
	} else if inner, ok := strings.CutPrefix(header, "["); ok {
		if host, ok = strings.CutSuffix(inner, "]"); !ok || !strings.Contains(host, ":") {
			return "", errHost
		}
	} else if strings.Contains(header, ":") {
		return "", errHost
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Zone() == "" {
		return host, nil
	}
	if len(host) > 253 || !dnsName.MatchString(host) {
		return "", errHost
	}
	return host, nil
}

// PublicHost is the name or address that clients are to use for the box: the
// domain in its xn-- form, else the host of requestHost, a Host header or a bare
// address. It is an error where neither is one.
func PublicHost(cfg *config.Config, requestHost string) (string, error) {
	if cfg.Domain == "" {
		if a, err := netip.ParseAddr(requestHost); err == nil {
			return a.WithZone("").String(), nil
		}
		return hostname(requestHost)
	}
	if a, err := netip.ParseAddr(cfg.Domain); err == nil {
		return a.String(), nil
	}
	return idna.Lookup.ToASCII(strings.TrimSuffix(cfg.Domain, "."))
}

// Hosts is where a client is to find STUN and TURN.
type Hosts struct {
	// Public is a name or a bare IP address; see PublicHost.
	Public string
	// LAN is the private address that the client itself has reached the box by,
	// where that is not Public: behind a router without hairpin it is the only one
	// that works in the box's own network. Otherwise the zero Addr.
	LAN netip.Addr
}

// HostsOf is where whoever sent a request with this Host header is to find STUN
// and TURN. It is an error where PublicHost gives one.
func HostsOf(cfg *config.Config, requestHost string) (Hosts, error) {
	public, err := PublicHost(cfg, requestHost)
	if err != nil {
		return Hosts{}, err
	}
	hosts := Hosts{Public: public}
	if lan := privateAddress(requestHost); lan.IsValid() && lan.String() != public {
		hosts.LAN = lan
	}
	return hosts, nil
}

// privateAddress is the one that a Host header names; otherwise the zero Addr.
func privateAddress(header string) netip.Addr {
	host, err := hostname(header)
	if err != nil {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(host)
	if a = a.Unmap(); err != nil || !hostnet.IsPrivate(a) {
		return netip.Addr{}
	}
	return a
}

package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// ownAddress is the kind of an address that a socket or the internet knows this
// box by, of family 4, 6 or 0 for either.
func ownAddress(family int, want string) kind {
	return kind{want: want + ", or nothing", check: func(text string) *flaw {
		if text == "" {
			return nil
		}
		addr, err := netip.ParseAddr(text)
		switch {
		case err != nil:
			return &flaw{mean: meantAddress(text)}
		case addr.Zone() != "":
			return &flaw{why: "with an interface in it", mean: addr.WithZone("").String()}
		case addr.Is4In6():
			return &flaw{why: "an IPv4 address written as IPv6", mean: addr.Unmap().String()}
		case family == 4 && addr.Is6():
			return &flaw{why: "an IPv6 address (public.ipv6 is for those)"}
		case family == 6 && addr.Is4():
			return &flaw{why: "an IPv4 address (public.ipv4 is for those)"}
		case addr.IsUnspecified():
			return &flaw{why: "which is no address of one box"}
		case addr.IsMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
			return &flaw{why: "which is no address of one box"}
		}
		return nil
	}}
}

// publicAddress is an ownAddress that another host could reach.
func publicAddress(family int, want string) kind {
	k := ownAddress(family, want)
	own := k.check
	k.check = func(text string) *flaw {
		if f := own(text); f != nil {
			return f
		}
		if addr, err := netip.ParseAddr(text); err == nil && (addr.IsLoopback() || addr.IsLinkLocalUnicast()) {
			return &flaw{why: "which no other network can reach"}
		}
		return nil
	}
	return k
}

// relayAddress is the kind of turn.relay.address.
func relayAddress() kind {
	k := ownAddress(0, "an IP address of this box")
	own := k.check
	k.check = func(text string) *flaw {
		if addr, err := netip.ParseAddr(text); err == nil && addr.IsLinkLocalUnicast() {
			return &flaw{why: "which no other network can reach"}
		}
		return own(text)
	}
	return k
}

// meantAddress guesses at an address with a port or a length behind it.
func meantAddress(text string) string {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Addr().String()
	}
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().String()
	}
	return ""
}

// network is the kind of a range of addresses.
func network() kind {
	k := kind{want: "a range such as 192.168.1.0/24 or 2001:db8::/32"}
	k.check = func(text string) *flaw {
		if addr, err := netip.ParseAddr(text); err == nil {
			addr = addr.Unmap().WithZone("")
			return &flaw{why: "without its length", mean: fmt.Sprintf("%s/%d", addr, addr.BitLen())}
		}
		p, err := netip.ParsePrefix(text)
		switch {
		case err != nil:
			return &flaw{mean: meantNetwork(text)}
		case p.Addr().Is4In6() && p.Bits() >= 96:
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Masked()
			return &flaw{why: "an IPv4 range written as IPv6", mean: p.String()}
		case p != p.Masked():
			return &flaw{why: "with bits beyond its length", mean: p.Masked().String()}
		}
		return nil
	}
	return k
}

// meantNetwork guesses at 192.168.1/24, 192.168.1.0/255.255.255.0, 10.*.
func meantNetwork(text string) string {
	host, length, found := strings.Cut(text, "/")
	if mask, err := netip.ParseAddr(length); found && err == nil && mask.Is4() {
		ones := 0
		for _, b := range mask.AsSlice() {
			for ; b&0x80 != 0; b <<= 1 {
				ones++
			}
		}
		length = fmt.Sprint(ones)
	}
	if strings.Contains(host, "*") {
		length = fmt.Sprint(8*strings.Count(strings.TrimRight(host, "*."), ".") + 8)
		host, found = strings.TrimRight(host, "*."), true
	}
	for found && !strings.Contains(host, ":") && strings.Count(host, ".") < 3 {
		host += ".0"
	}
	p, err := netip.ParsePrefix(host + "/" + length)
	if err != nil {
		return ""
	}
	return p.Masked().String()
}

// endpoint is a listen address: the host is an IP address, localhost or empty.
type endpoint struct {
	addr netip.Addr // unspecified: every address of the box
	port uint16     // 0: the system picks one
}

// parseEndpoint reads host:port. What is wrong comes back as a flaw.
func parseEndpoint(text string) (endpoint, *flaw) {
	if digits(text) {
		return endpoint{}, &flaw{why: "without a colon", mean: `":` + text + `"`}
	}
	colon := strings.LastIndexByte(text, ':')
	if _, err := netip.ParseAddr(text); err == nil || colon < 0 {
		return endpoint{}, &flaw{why: "without a port"}
	}
	port, err := parsePort(text[colon+1:])
	if err != nil {
		return endpoint{}, &flaw{why: "without a port from 0 to 65535"}
	}
	host := text[:colon]
	switch host {
	case "":
		return endpoint{netip.IPv6Unspecified(), port}, nil
	case "*":
		return endpoint{}, &flaw{mean: fmt.Sprintf(`":%d"`, port)}
	case "localhost":
		return endpoint{netip.AddrFrom4([4]byte{127, 0, 0, 1}), port}, nil
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	addr, err := netip.ParseAddr(bare)
	switch {
	case err != nil:
		return endpoint{}, &flaw{why: fmt.Sprintf("with %s in place of an address of this box", quote(host))}
	case addr.Is6() && host == bare:
		return endpoint{}, &flaw{why: "without brackets", mean: fmt.Sprintf(`"[%s]:%d"`, bare, port)}
	case addr.Is4() && host != bare:
		return endpoint{}, &flaw{mean: fmt.Sprintf("%s:%d", bare, port)}
	case addr.IsMulticast():
		return endpoint{}, &flaw{why: "which is no address of one box"}
	}
	return endpoint{addr.Unmap(), port}, nil
}

// overlaps says whether two endpoints of one protocol can't both be opened. An
// unspecified host takes every address of both families.
func (e endpoint) overlaps(other endpoint) bool {
	if e.port != other.port || e.port == 0 {
		return false
	}
	return e.addr == other.addr || e.addr.IsUnspecified() || other.addr.IsUnspecified()
}

// listenAddress is the kind of an address to listen on.
func listenAddress() kind {
	k := kind{want: "host:port with an IP address of this box, or :port for all of them"}
	k.check = func(text string) *flaw {
		_, f := parseEndpoint(text)
		return f
	}
	return k
}

// localAddress is a listenAddress of what is for this machine alone.
func localAddress() kind {
	k := listenAddress()
	listen := k.check
	k.check = func(text string) *flaw {
		if digits(text) {
			return &flaw{why: "without a colon", mean: `"127.0.0.1:` + text + `"`}
		}
		return listen(text)
	}
	return k
}

// remoteAddress is the kind of another host's host:port.
func remoteAddress() kind {
	k := kind{want: "host:port"}
	name := domainName()
	k.check = func(text string) *flaw {
		if ap, err := netip.ParseAddrPort(text); err == nil && ap.Port() != 0 {
			return nil
		}
		host, portText, found := strings.Cut(text, ":")
		port, err := parsePort(portText)
		if !found && host != "" && name.check(host) == nil {
			return &flaw{why: "without a port", mean: host + ":3478"}
		}
		if host == "" || err != nil || port == 0 || name.check(host) != nil {
			return &flaw{}
		}
		return nil
	}
	return k
}

// publicURL is the kind of public.url.
func publicURL() kind {
	k := kind{want: "a URL such as https://home.example:8443/call"}
	k.check = func(text string) *flaw {
		u, err := url.Parse(text)
		if err != nil {
			return &flaw{}
		}
		switch u.Scheme {
		case "http", "https":
		case "ws", "wss":
			return &flaw{mean: "http" + text[len("ws"):]}
		default:
			return &flaw{why: "without https:// before it", mean: "https://" + text}
		}
		if u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#") {
			return &flaw{why: "with more than scheme, host, port and path"}
		}
		return badHost(u)
	}
	return k
}

// originURL is the kind of an origin: "*", or scheme://host[:port] (RFC 6454).
func originURL() kind {
	k := kind{want: `"*" or an origin such as https://home.example`}
	k.check = func(text string) *flaw {
		if text == "*" {
			return nil
		}
		u, err := url.Parse(text)
		switch {
		case err != nil || text == "":
			return &flaw{}
		case u.Scheme == "" || u.Host == "":
			return &flaw{why: "without https:// before it", mean: "https://" + text}
		case u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
			return &flaw{why: "with more than scheme, host and port", mean: u.Scheme + "://" + u.Host}
		case strings.Contains(u.Host, "*"):
			return &flaw{why: "with a wildcard"}
		}
		return badHost(u)
	}
	return k
}

// sentOrigin is an origin as browsers send it: the host in ASCII and lower case,
// an address in its shortest form, no port where it is that of the scheme (RFC
// 6454 6.2).
func sentOrigin(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return text // "*"
	}
	host, err := asciiName(u.Hostname())
	if addr, no := netip.ParseAddr(u.Hostname()); no == nil && addr.Is6() {
		host = "[" + addr.String() + "]"
	} else if err != nil {
		return text // refused already
	}
	port := u.Port()
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return u.Scheme + "://" + host
	}
	return u.Scheme + "://" + host + ":" + port
}

// badHost says what is wrong with the host and port of a URL.
func badHost(u *url.URL) *flaw {
	if u.Port() != "" {
		if port, err := parsePort(u.Port()); err != nil || port == 0 {
			return &flaw{why: "with a port that is none"}
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return &flaw{why: "with a colon and no port"}
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	if _, err := asciiName(host); host == "" || err != nil {
		return &flaw{why: "with a host that is no name"}
	}
	return nil
}

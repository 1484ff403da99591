package certs

import (
	"crypto/x509"
	"net"
	"net/netip"
	"slices"
	"strings"

	"icebox/internal/hostnet"
)

// subject is what a self-signed certificate is to be good for.
type subject struct {
	names []string     // DNS names, lower case, the most important first
	addrs []netip.Addr // without one of these it is made anew
	extra []netip.Addr // in it when they are there at the time; not worth a new one
}

// maxExtra bounds the addresses in a certificate that nothing depends on.
const maxExtra = 32

// subjectOf collects the domain and public addresses of the configuration, and
// the names and addresses of the machine.
//
// A new certificate loses the exception that a person has made for the old one,
// so only what lasts is a reason for it. Addresses of containers and tunnels and
// IPv6 privacy addresses come and go; so do public addresses, those of the
// configuration too, and where there is a domain nobody needs them.
func subjectOf(set settings, b box) subject {
	var s subject
	s.addHost(set.host)
	s.addHost("localhost")
	hostname := strings.ToLower(b.hostname)
	if hostnet.IsContainerID(hostname) {
		hostname = "localhost" // the next container has another, and nobody can look it up
	}
	s.addHost(hostname)
	if hostname != "localhost" && !strings.Contains(hostname, ".") {
		s.addHost(hostname + ".local") // multicast DNS, RFC 6762
	}
	s.addAddrs(netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	s.addAddrs(b.lasting...)
	public := slices.DeleteFunc([]netip.Addr{set.ipv4, set.ipv6}, func(a netip.Addr) bool { return !a.IsValid() })
	public = append(public, b.public...)
	if set.host == "" {
		s.addAddrs(public...)
	} else {
		s.extra = append(s.extra, public...)
	}
	s.extra = append(s.extra, b.transient...)
	s.extra = s.extra[:min(len(s.extra), maxExtra)]
	return s
}

// carry adds the private addresses of the last certificate, as far as there is
// room: a box that comes back to a network, or to its VPN, then needs no new one.
func (s *subject) carry(last *x509.Certificate) {
	for _, ip := range last.IPAddresses {
		a, _ := netip.AddrFromSlice(ip)
		a = a.Unmap()
		if len(s.extra) < maxExtra && hostnet.IsPrivate(a) && !slices.Contains(s.addrs, a) && !slices.Contains(s.extra, a) {
			s.extra = append(s.extra, a)
		}
	}
}

// addHost adds a name, or an address written as one; what is neither is left
// out.
func (s *subject) addHost(host string) {
	if a, err := netip.ParseAddr(host); err == nil {
		s.addAddrs(a)
	} else if isDNSName(host) && !slices.Contains(s.names, host) {
		s.names = append(s.names, host)
	}
}

func (s *subject) addAddrs(addrs ...netip.Addr) {
	for _, a := range addrs {
		if a = a.WithZone("").Unmap(); a.IsValid() && !slices.Contains(s.addrs, a) {
			s.addrs = append(s.addrs, a)
		}
	}
}

// ips returns all addresses as a certificate template takes them.
func (s *subject) ips() []net.IP {
	var ips []net.IP
	for _, a := range s.addrs {
		ips = append(ips, a.AsSlice())
	}
	for _, a := range s.extra {
		if !slices.Contains(s.addrs, a) {
			ips = append(ips, a.AsSlice())
		}
	}
	return ips
}

// missing returns a name or address that leaf is not good for, or "".
func (s *subject) missing(leaf *x509.Certificate) string {
	for _, name := range s.names {
		if !slices.Contains(leaf.DNSNames, name) {
			return name
		}
	}
	for _, a := range s.addrs {
		if !slices.ContainsFunc(leaf.IPAddresses, net.IP(a.AsSlice()).Equal) {
			return a.String()
		}
	}
	return ""
}

// isDNSName goes by the preferred syntax of RFC 1034 section 3.5, in lower
// case: browsers accept no other name in a certificate.
func isDNSName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

package turnserver

import "net/netip"

// namedRange is a range of addresses that is denied, and the reason.
type namedRange struct {
	prefix netip.Prefix
	reason string
}

// find returns the reason of the first range that holds addr, or "".
func find(ranges []namedRange, addr netip.Addr) string {
	for i := range ranges {
		if ranges[i].prefix.Contains(addr) {
			return ranges[i].reason
		}
	}
	return ""
}

// The tables follow the IANA IPv4 and IPv6 Special-Purpose Address Registries
// (RFC 6890); the RFC of each range stands beside it. In doubt a range is in
// them: no peer of a call has such an address.
var (
	// never4 and never6 are what turn.peers.allow can't open.
	never4 = []namedRange{
		{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},             // RFC 1122
		{netip.MustParsePrefix("0.0.0.0/8"), "unspecified"},            // RFC 791
		{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},        // RFC 3927
		{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},            // RFC 5771
		{netip.MustParsePrefix("255.255.255.255/32"), reasonBroadcast}, // RFC 919
	}
	never6 = []namedRange{
		{netip.MustParsePrefix("::/128"), "unspecified"},   // RFC 4291
		{netip.MustParsePrefix("::1/128"), "loopback"},     // RFC 4291
		{netip.MustParsePrefix("fe80::/10"), "link-local"}, // RFC 4291
		{netip.MustParsePrefix("ff00::/8"), "multicast"},   // RFC 4291
	}

	special4 = []namedRange{
		{netip.MustParsePrefix("10.0.0.0/8"), "private"},            // RFC 1918
		{netip.MustParsePrefix("172.16.0.0/12"), "private"},         // RFC 1918
		{netip.MustParsePrefix("192.168.0.0/16"), "private"},        // RFC 1918
		{netip.MustParsePrefix("100.64.0.0/10"), "cgnat"},           // RFC 6598
		{netip.MustParsePrefix("192.0.0.0/24"), "special"},          // RFC 6890
		{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},    // RFC 5737
		{netip.MustParsePrefix("198.51.100.0/24"), "documentation"}, // RFC 5737
		{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},  // RFC 5737
		{netip.MustParsePrefix("192.88.99.0/24"), reason6to4},       // RFC 7526
		{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking"},    // RFC 2544
		{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},          // RFC 1112
	}

	// globalUnicast6 is all of IPv6 that is given out for use (RFC 4291 2.4 and
	// IANA's IPv6 address space registry). What is outside needs no entry below
	// but for a better reason.
	globalUnicast6 = netip.MustParsePrefix("2000::/3")

	special6 = []namedRange{
		{netip.MustParsePrefix("2001::/32"), reasonTeredo},           // RFC 4380
		{netip.MustParsePrefix("2001:2::/48"), "benchmarking"},       // RFC 5180
		{netip.MustParsePrefix("2001:10::/28"), "orchid"},            // RFC 4843
		{netip.MustParsePrefix("2001:20::/28"), "orchid"},            // RFC 7343
		{netip.MustParsePrefix("2001::/23"), "special"},              // RFC 2928
		{netip.MustParsePrefix("2001:db8::/32"), "documentation"},    // RFC 3849
		{netip.MustParsePrefix("2002::/16"), reason6to4},             // RFC 3056
		{netip.MustParsePrefix("3fff::/20"), "documentation"},        // RFC 9637
		{netip.MustParsePrefix("::ffff:0:0/96"), reasonMapped},       // RFC 4291
		{netip.MustParsePrefix("::/96"), reasonCompatible},           // RFC 4291
		{netip.MustParsePrefix("::ffff:0:0:0/96"), reasonTranslated}, // RFC 2765
		{netip.MustParsePrefix("64:ff9b::/96"), reasonNAT64},         // RFC 6052
		{netip.MustParsePrefix("64:ff9b:1::/48"), reasonNAT64},       // RFC 8215
		{netip.MustParsePrefix("100::/64"), "discard"},               // RFC 6666
		{netip.MustParsePrefix("100:0:0:1::/64"), "special"},         // RFC 9780
		{netip.MustParsePrefix("5f00::/16"), "special"},              // RFC 9602
		{netip.MustParsePrefix("fc00::/7"), "private"},               // RFC 4193
		{netip.MustParsePrefix("fec0::/10"), "site-local"},           // RFC 3879
	}
)

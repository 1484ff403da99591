package natlab

import (
	"fmt"
	"strings"
)

// The outer ports of mappings that do not keep the port. All are under the
// range that the kernel gives to sockets, since a port that a host has and that
// is in the range is kept.
const (
	newPorts    = "20000-29999"
	buckets     = 64   // remote addresses that AddressDependent tells apart
	bucketSize  = 400  // ports each
	bucketStart = 2048 // the first port of the first
)

// ruleset is the router's nftables configuration. Chains that methods of Router
// add to (forwards, opened, blocked) begin empty.
func (r *Router) ruleset() string {
	var b strings.Builder
	fmt.Fprintln(&b, "table ip nat {")
	r.writeSets(&b)
	r.writeInward(&b)
	r.writeOutward(&b)
	r.writeRecord(&b)
	fmt.Fprintln(&b, "}")
	r.writeFilter(&b)
	return b.String()
}

// writeSets writes what the NAT remembers beside the kernel's own connections:
// who has an outer port (mapped), and whom it has sent to (asked).
func (r *Router) writeSets(b *strings.Builder) {
	fmt.Fprintln(b, `
	map mapped { type inet_service : ipv4_addr . inet_service; flags dynamic,timeout; timeout 5m; }
	set asked { type inet_service . ipv4_addr; flags dynamic,timeout; timeout 5m; }`)
}

// writeInward writes where packets to the public address go (RFC 4787, 5 and 6).
// With AddressAndPortDependent filtering only the kernel's connections let in.
func (r *Router) writeInward(b *strings.Builder) {
	const deliver = "dnat ip to udp dport map @mapped"
	var filtered string
	switch r.nat.Filtering.or(AddressAndPortDependent) {
	case EndpointIndependent:
		filtered = "meta l4proto udp " + deliver
	case AddressDependent:
		filtered = "meta l4proto udp udp dport . ip saddr @asked " + deliver
	}
	var hairpin string
	if r.nat.Hairpin {
		hairpin = fmt.Sprintf(`iifname "lan" ip daddr %s goto hairpin`, r.Addr())
	}
	fmt.Fprintf(b, `
	chain forwards { }
	chain inward {
		jump forwards
		%s
	}
	chain hairpin {
		jump forwards
		meta l4proto udp %s
	}
	chain prerouting {
		type nat hook prerouting priority dstnat;
		iifname "wan" ip daddr %s goto inward
		%s
	}
`, filtered, deliver, r.Addr(), hairpin)
}

// writeOutward writes which outer address and port a packet gets (RFC 4787, 4).
func (r *Router) writeOutward(b *strings.Builder) {
	switch r.nat.Mapping.or(EndpointIndependent) {
	case AddressAndPortDependent:
		fmt.Fprintf(b, "\tchain outward { snat to %s fully-random; }\n", r.Addr())
	case AddressDependent:
		r.writeBuckets(b)
	default:
		ports := ""
		if r.nat.NewPort {
			ports = fmt.Sprintf("meta l4proto udp snat to %s:%s", r.Addr(), newPorts)
		}
		// The kernel gives a source the mapping that it has already.
		fmt.Fprintf(b, "\tchain outward {\n\t\t%s\n\t\tsnat to %s\n\t}\n", ports, r.Addr())
	}
	fmt.Fprintf(b, `
	chain postrouting {
		type nat hook postrouting priority srcnat;
		oifname "wan" goto outward
		oifname "lan" ip saddr %s ct status dnat goto outward
	}
`, r.lan)
}

// writeBuckets writes the AddressDependent mapping. Each remote address, when it
// is first seen, gets a range of ports of its own; within a range the kernel
// gives a source the mapping that it has already.
func (r *Router) writeBuckets(b *strings.Builder) {
	fmt.Fprintf(b, `
	set known { type ipv4_addr; flags dynamic; size 65535; }
	map bucket { type ipv4_addr : mark; flags dynamic; size 65535; }
`)
	jumps := make([]string, buckets)
	for i := range buckets {
		first := bucketStart + i*bucketSize
		fmt.Fprintf(b, "\tchain bucket%d { meta l4proto udp snat to %s:%d-%d; }\n", i, r.Addr(), first, first+bucketSize-1)
		jumps[i] = fmt.Sprintf("%d : goto bucket%d", i, i)
	}
	fmt.Fprintf(b, `
	chain outward {
		meta l4proto != udp snat to %s
		ip daddr != @known add @known { ip daddr } add @bucket { ip daddr : numgen inc mod %d }
		meta mark set ip daddr map @bucket meta mark vmap { %s }
	}
`, r.Addr(), buckets, strings.Join(jumps, ", "))
}

// writeRecord writes the chain that sees packets as they leave, after their
// source was translated, and fills the sets.
func (r *Router) writeRecord(b *strings.Builder) {
	const record = "ct direction original meta l4proto udp" +
		" update @mapped { udp sport : ct original ip saddr . ct original proto-src }" +
		" update @asked { udp sport . ip daddr }"
	fmt.Fprintf(b, `
	chain record {
		type filter hook postrouting priority srcnat + 10;
		oifname "wan" %s
		oifname "lan" ip saddr %s ct status dnat %s
	}
`, record, r.Addr(), record)
}

// writeFilter writes the firewall, for IPv4 and IPv6.
func (r *Router) writeFilter(b *strings.Builder) {
	fmt.Fprintf(b, `
table inet filter {
	chain blocked { }
	chain opened { }
	chain forward {
		type filter hook forward priority filter; policy drop;
		jump blocked
		ct state established,related accept
		ct state invalid drop
		iifname "lan" accept
		iifname "wan" ct status dnat accept
		iifname "wan" jump opened
	}
	chain input {
		type filter hook input priority filter; policy accept;
		ct state established,related accept
		iifname "wan" icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		iifname "wan" drop
		iifname "lan" ip daddr %s drop
	}
}
`, r.Addr())
}

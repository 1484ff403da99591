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
	buckets     = 64   // ranges of ports that the dependent mappings deal out
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
	case AddressDependent:
		r.writeAddressDependent(b)
	case AddressAndPortDependent:
		r.writeSymmetric(b)
	default:
		r.writeIndependent(b)
	}
	fmt.Fprintf(b, `
	chain postrouting {
		type nat hook postrouting priority srcnat;
		oifname "wan" goto outward
		oifname "lan" ip saddr %s ct status dnat goto outward
	}
`, r.lan)
}

// writeIndependent leaves it to the kernel, which gives a source the mapping
// that it has already.
func (r *Router) writeIndependent(b *strings.Builder) {
	ports := ""
	if r.nat.NewPort {
		ports = fmt.Sprintf("meta l4proto udp snat to %s:%s", r.Addr(), newPorts)
	}
	fmt.Fprintf(b, `
	chain outward {
		%s
		snat to %s
	}
`, ports, r.Addr())
}

// writeAddressDependent gives each remote address, when it is first seen, a
// range of ports of its own; within a range the kernel gives a source the
// mapping that it has already.
func (r *Router) writeAddressDependent(b *strings.Builder) {
	jumps := r.writeBuckets(b, "")
	fmt.Fprintf(b, `
	set known { type ipv4_addr; flags dynamic; size 65535; }
	map bucket { type ipv4_addr : mark; flags dynamic; size 65535; }
	chain outward {
		meta l4proto != udp snat to %s
		ip daddr != @known add @known { ip daddr } add @bucket { ip daddr : numgen inc mod %d }
		meta mark set ip daddr map @bucket meta mark vmap { %s }
	}
`, r.Addr(), buckets, jumps)
}

// writeSymmetric gives each new connection a port of the next range, so that
// two in a row never have the same by chance. With fully-random the kernel
// does not look for a mapping that the source has.
func (r *Router) writeSymmetric(b *strings.Builder) {
	jumps := r.writeBuckets(b, "fully-random")
	fmt.Fprintf(b, `
	chain outward {
		meta l4proto != udp snat to %s
		numgen inc mod %d vmap { %s }
	}
`, r.Addr(), buckets, jumps)
}

// writeBuckets writes a chain for each range of ports and gives the elements of
// a verdict map into them.
func (r *Router) writeBuckets(b *strings.Builder, flags string) string {
	jumps := make([]string, buckets)
	for i := range buckets {
		first := bucketStart + i*bucketSize
		fmt.Fprintf(b, "\tchain bucket%d { meta l4proto udp snat to %s:%d-%d %s; }\n",
			i, r.Addr(), first, first+bucketSize-1, flags)
		jumps[i] = fmt.Sprintf("%d : goto bucket%d", i, i)
	}
	return strings.Join(jumps, ", ")
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

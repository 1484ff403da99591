package natlab

import (
	"fmt"
	"net/netip"
	"strings"
)

// Router joins the hosts behind it to the internet, or to the router that it is
// behind itself. It is a node too: commands and sockets can be inside it.
type Router struct {
	*node
	nat   NAT
	lan   netip.Prefix // of the hosts behind it
	lan6  netip.Prefix // the same for IPv6, or zero
	hosts int          // behind it, for their addresses
}

// Router makes a router directly on the internet.
func (l *Lab) Router(name string, nat NAT) *Router {
	l.t.Helper()
	r := &Router{node: l.node(name), nat: nat}
	r.addrs = []netip.Addr{l.claim(name, nat.Public)}
	if !r.addrs[0].Is4() {
		l.t.Fatalf("natlab: the public address of router %s is not IPv4", name)
	}
	if nat.Prefix6 != "" {
		r.lan6 = r.prefix(nat.Prefix6)
	}
	l.plug(r.node, "wan", r.lan6)
	r.open()
	return r
}

// Router makes a router behind r, which has an address of r's LAN outside.
func (r *Router) Router(name string, nat NAT) *Router {
	t := r.lab.t
	t.Helper()
	if nat.Prefix6 != "" {
		t.Fatalf("natlab: %s is not directly on the internet and can't have IPv6", name)
	}
	inner := &Router{node: r.lab.node(name), nat: nat}
	if nat.Public != "" {
		a, err := netip.ParseAddr(nat.Public)
		if err != nil || !r.lan.Contains(a) {
			t.Fatalf("natlab: %s is behind %s and has %q, outside of %s", name, r.name, nat.Public, r.lan)
		}
		inner.addrs = []netip.Addr{a}
	}
	r.join(inner.node, "wan")
	inner.open()
	return inner
}

// Host makes a host behind r, with the next address of its LAN, the first being
// its tenth, and one of its IPv6 prefix where it has one.
func (r *Router) Host(name string) *Host {
	r.lab.t.Helper()
	h := &Host{r.lab.node(name)}
	r.join(h.node, "eth0")
	return h
}

// open makes the inner side of the router and puts its rules in force.
func (r *Router) open() {
	r.lab.t.Helper()
	if r.nat.LAN == "" {
		r.lab.lans++
		r.nat.LAN = fmt.Sprintf("192.168.%d.0/24", r.lab.lans)
	}
	r.lan = r.prefix(r.nat.LAN)
	r.forwarding()
	lines := []string{
		"link add lan type bridge forward_delay 0 mcast_snooping 0",
		addAddress(netip.PrefixFrom(nth(r.lan, 1), r.lan.Bits()), "lan"),
		addAddress(netip.MustParsePrefix(gateway6+"/64"), "lan"),
		"link set lan up",
	}
	if r.lan6.IsValid() {
		lines = append(lines, addAddress(netip.PrefixFrom(nth(r.lan6, 1), r.lan6.Bits()), "lan"))
	}
	r.ip(lines...)
	r.nft(r.ruleset())
}

// join lays a wire from r's LAN to n, where its end is called inside.
func (r *Router) join(n *node, inside string) {
	r.lab.t.Helper()
	r.hosts++
	if len(n.addrs) == 0 {
		n.addrs = []netip.Addr{nth(r.lan, 9+r.hosts)}
	}
	port := fmt.Sprintf("p%d", r.hosts)
	r.ip(
		fmt.Sprintf("link add %s type veth peer name %s netns %s", port, inside, n.ns.path()),
		fmt.Sprintf("link set %s master lan up", port),
	)
	lines := []string{
		addAddress(netip.PrefixFrom(n.Addr(), r.lan.Bits()), inside),
		fmt.Sprintf("link set %s up", inside),
		fmt.Sprintf("route add 0.0.0.0/0 via %s dev %s", nth(r.lan, 1), inside),
	}
	if r.lan6.IsValid() {
		a := nth(r.lan6, 9+r.hosts)
		n.addrs = append(n.addrs, a)
		lines = append(lines,
			addAddress(netip.PrefixFrom(a, r.lan6.Bits()), inside),
			fmt.Sprintf("route add ::/0 via %s dev %s", gateway6, inside))
	}
	n.ip(lines...)
	r.carries(port, "lan")
	n.carries(inside)
}

// Forward sends what comes to this port of the router's public address to the
// same port of a host or a router behind it. The protocol is "udp" or "tcp".
// Where the host has an IPv6 address too, the port is opened there.
func (r *Router) Forward(protocol string, port int, to Target) {
	r.lab.t.Helper()
	r.ForwardRange(protocol, port, port, to)
}

// ForwardRange is Forward for the ports from first to last, both included.
func (r *Router) ForwardRange(protocol string, first, last int, to Target) {
	r.lab.t.Helper()
	match := fmt.Sprintf("%s dport %d-%d", protocol, first, last)
	lines := []string{fmt.Sprintf("add rule ip nat forwards %s dnat to %s", match, to.Addr())}
	if to.Addr6().IsValid() {
		lines = append(lines, fmt.Sprintf("add rule inet filter opened ip6 daddr %s %s accept", to.Addr6(), match))
	}
	r.nft(lines...)
}

// Target is what ports can be forwarded to: a *Host or a *Router.
type Target interface {
	Addr() netip.Addr
	Addr6() netip.Addr
}

// BlockUDP drops all UDP between the hosts and the outside, of live flows too.
func (r *Router) BlockUDP() {
	r.lab.t.Helper()
	r.nft("add rule inet filter blocked meta l4proto udp drop")
}

// OnlyTCP drops everything between the hosts and the outside but TCP to these
// ports outside, and the answers.
func (r *Router) OnlyTCP(ports ...int) {
	r.lab.t.Helper()
	list := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(ports)), ", "), "[]")
	r.nft(
		"add rule inet filter blocked meta l4proto != tcp drop",
		fmt.Sprintf("add rule inet filter blocked iifname lan tcp dport != { %s } drop", list),
	)
}

// Unblock takes back BlockUDP and OnlyTCP.
func (r *Router) Unblock() {
	r.lab.t.Helper()
	r.nft("flush chain inet filter blocked")
}

// prefix parses a prefix of the router's.
func (r *Router) prefix(s string) netip.Prefix {
	r.lab.t.Helper()
	p, err := netip.ParsePrefix(s)
	if err != nil {
		r.lab.t.Fatalf("natlab: a prefix of %s: %v", r.name, err)
	}
	return p.Masked()
}

// nth gives the nth address of a prefix, counting from its network address.
func nth(p netip.Prefix, n int) netip.Addr {
	b := p.Addr().AsSlice()
	for i := len(b) - 1; i >= 0 && n > 0; i-- {
		n += int(b[i])
		b[i] = byte(n)
		n >>= 8
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

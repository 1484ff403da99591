package natlab

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

// gateway4 and gateway6 are the internet's own addresses on every wire, and the
// next hop of everybody who is directly on it; wan6 is a router's end of it.
const (
	gateway4 = "169.254.1.1"
	gateway6 = "fe80::1"
	wan6     = "fe80::2"
)

// labs numbers the labs of this process, so that each knows its own processes.
var labs atomic.Int64

// Lab is one small internet. It is built by one goroutine, that of the test;
// the methods of what is in it can then be called by any. They end the test
// where a wire can't be laid; those that return an error do not.
type Lab struct {
	t        testing.TB
	owner    owner
	internet *Internet
	public   map[netip.Addr]string // every address that is routed, and whose it is
	wires    int                   // interfaces of the internet, for their names
	lans     int                   // default LAN prefixes that were given out
}

// Internet is the router between all public hosts and routers.
type Internet struct{ *node }

// Host is an end of the network: behind a router, or directly on the internet.
type Host struct{ *node }

// New makes an empty internet that is taken away when the test ends.
func New(t testing.TB) *Lab {
	t.Helper()
	require(t)
	self, err := thisProcess()
	if err != nil {
		t.Fatalf("natlab: %v", err)
	}
	if err := endOrphans(); err != nil {
		t.Logf("natlab: ending what dead test processes have left: %v", err)
	}
	l := &Lab{
		t:      t,
		owner:  owner{process: self, lab: labs.Add(1)},
		public: make(map[netip.Addr]string),
	}
	t.Cleanup(l.end)
	l.internet = &Internet{l.node("internet")}
	l.internet.forwarding()
	return l
}

// Internet gives the router in the middle, to look at packets or to drop them.
func (l *Lab) Internet() *Internet { return l.internet }

// Host makes a host with these addresses, IPv4 or IPv6, directly on the
// internet, with nothing in between.
func (l *Lab) Host(name string, addresses ...string) *Host {
	l.t.Helper()
	h := &Host{l.node(name)}
	if len(addresses) == 0 {
		l.t.Fatalf("natlab: %s is on the internet and has no address", name)
	}
	for _, a := range addresses {
		h.addrs = append(h.addrs, l.claim(name, a))
	}
	l.plug(h.node, "eth0", netip.Prefix{})
	return h
}

// node makes a namespace with nothing but a loopback interface.
func (l *Lab) node(name string) *node {
	l.t.Helper()
	ns, err := newNamespace()
	if err != nil {
		l.t.Fatalf("natlab: a namespace for %s: %v", name, err)
	}
	n := &node{lab: l, name: name, ns: ns}
	l.t.Cleanup(n.close)
	n.sysctl(map[string]string{
		"net.ipv4.conf.all.rp_filter":      "0",
		"net.ipv4.conf.default.rp_filter":  "0",
		"net.ipv6.conf.all.accept_dad":     "0",
		"net.ipv6.conf.default.accept_dad": "0",
		"net.ipv6.conf.default.accept_ra":  "0",
	})
	n.ip("link set lo up")
	return n
}

// claim parses a public address that nobody may have yet.
func (l *Lab) claim(name, address string) netip.Addr {
	l.t.Helper()
	a, err := netip.ParseAddr(address)
	if err != nil {
		l.t.Fatalf("natlab: an address of %s: %v", name, err)
	}
	if other, taken := l.public[a]; taken {
		l.t.Fatalf("natlab: %s and %s both have %s", other, name, a)
	}
	l.public[a] = name
	return a
}

// plug lays a wire from the internet to n, where its end is called inside, and
// routes n's addresses and the prefix behind it (where there is one) over it.
func (l *Lab) plug(n *node, inside string, behind netip.Prefix) {
	l.t.Helper()
	l.wires++
	port := fmt.Sprintf("w%d", l.wires)
	here := []string{
		fmt.Sprintf("link add %s type veth peer name %s netns %s", port, inside, n.ns.path()),
		addAddress(netip.MustParsePrefix(gateway4+"/32"), port),
		addAddress(netip.MustParsePrefix(gateway6+"/64"), port),
		fmt.Sprintf("link set %s up", port),
	}
	there := []string{
		addAddress(netip.MustParsePrefix(wan6+"/64"), inside),
		fmt.Sprintf("link set %s up", inside),
		fmt.Sprintf("route add %s dev %s", gateway4, inside),
		fmt.Sprintf("route add 0.0.0.0/0 via %s dev %s", gateway4, inside),
		fmt.Sprintf("route add ::/0 via %s dev %s", gateway6, inside),
	}
	var own []string
	for _, a := range n.addrs {
		one := netip.PrefixFrom(a, a.BitLen())
		here = append(here, fmt.Sprintf("route add %s dev %s", one, port))
		own = append(own, addAddress(one, inside))
	}
	if behind.IsValid() {
		here = append(here, fmt.Sprintf("route add %s via %s dev %s", behind, wan6, port))
	}
	l.internet.ip(here...)
	n.ip(append(own, there...)...)
	l.internet.carries(port)
	n.carries(inside)
}

// end ends every process of the lab. The namespaces then go with their files,
// which the cleanups of the nodes close.
func (l *Lab) end() {
	left, err := endProcesses(func(o owner) bool { return o == l.owner })
	if err != nil {
		l.t.Errorf("natlab: ending the lab's processes: %v", err)
	}
	if len(left) > 0 {
		l.t.Errorf("natlab: processes that did not end: %s", strings.Join(left, ", "))
	}
}

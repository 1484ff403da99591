// Package natlab builds small internets for tests: hosts, routers and NATs,
// each in a network namespace of its own, with real sockets, real processes and
// the kernel's own connection tracking between them. It needs Linux, root, and
// the programs ip, nft and nsenter; New skips the test by name where one of
// them is missing, and fails it where the environment has CI=true.
//
//	lab := natlab.New(t)
//	server := lab.Host("server", "203.0.113.10") // directly on the internet
//	home := lab.Router("home", natlab.NAT{       // a router, and a NAT
//		Public:    "198.51.100.7",
//		Mapping:   natlab.EndpointIndependent,
//		Filtering: natlab.AddressAndPortDependent,
//	})
//	alice := home.Host("alice") // behind it, with an address of its LAN
//	home.Forward("udp", 3478, alice)
//
//	conn, err := alice.ListenPacket("udp4", ":0")               // a socket inside
//	cmd := alice.Command(ctx, "curl", "http://203.0.113.10:80") // a process inside
//	err = alice.Do(func() error { ... })                        // any code inside
//
// # The wires
//
// The internet is one router. Every public address is a route to one host or
// one router, so any address can be anywhere, and two hosts are never on one
// link, unless Lab.Wire lays one between them. Use addresses that look global
// (203.0.113.0/24, 198.51.100.0/24, 198.18.0.0/15, 2001:db8::/32) and allow them
// where the program under test refuses documentation ranges.
//
// The hosts behind a router share one Ethernet bridge, with multicast. A host's
// interface is eth0, a router's are wan and lan. IPv4 and IPv6 have a default
// route; there is no DNS. A router behind a router (Router.Router) makes
// carrier-grade NAT: give the outer one the LAN 100.64.0.0/24.
//
// # The NATs
//
// Mapping and Filtering are those of RFC 4787, all nine combinations, for UDP.
// TCP is always filtered address and port dependent, which is what the kernel
// does. What a router does not forward it drops in silence, whether it was for a
// host or for itself: a router that answered would keep the port of a hole
// punch in its tables and move the mapping.
//
// Two hosts behind one router that use one port number for different remotes
// can get one outer port for both, which RFC 4787 calls port overloading; bind
// different ports where that matters.
//
// # What is left behind
//
// Nothing of the machine's own network is touched, and there are no names to
// collide: a namespace lives as long as an open file of the test process or a
// process inside it, so the kernel takes everything away however the test
// ends, and any number of labs can be used side by side. Processes that Command
// starts die with the lab, or with the test process where that dies first, and
// so do their children; one that gets away all the same is ended by the next
// New on the machine, which knows it by an environment variable.
package natlab

// Behavior is how a NAT treats the remote end of a packet, in the words of
// RFC 4787, sections 4.1 (mapping) and 5 (filtering).
type Behavior int

// The three behaviors. The zero value stands for the usual one of home routers:
// EndpointIndependent as mapping, AddressAndPortDependent as filtering.
const (
	// EndpointIndependent: the remote does not matter.
	EndpointIndependent Behavior = iota + 1
	// AddressDependent: the remote address matters, its port does not.
	AddressDependent
	// AddressAndPortDependent: both matter. As mapping it is what is often
	// called symmetric.
	AddressAndPortDependent
)

// String gives the behavior in the words of RFC 4787.
func (b Behavior) String() string {
	switch b {
	case EndpointIndependent:
		return "endpoint-independent"
	case AddressDependent:
		return "address-dependent"
	case AddressAndPortDependent:
		return "address-and-port-dependent"
	default:
		return "default"
	}
}

// or gives b, or fallback for the zero value.
func (b Behavior) or(fallback Behavior) Behavior {
	if b == 0 {
		return fallback
	}
	return b
}

// NAT says what a router does.
type NAT struct {
	// Public is the router's outer IPv4 address. Behind another router it is
	// left empty: the next address of that router's LAN.
	Public string
	// LAN is the IPv4 prefix of the hosts behind the router, which itself has
	// the first address. Empty: the next 192.168.n.0/24 of the lab. Two routers
	// may have the same.
	LAN string
	// Prefix6 is an IPv6 prefix, of 64 bits or less, that is routed to the
	// hosts as it is, without NAT, behind a firewall that lets in what was
	// asked for. Empty: no IPv6. Only for a router directly on the internet.
	Prefix6 string
	// Mapping says which packets of one inner address and port share an outer
	// port. The default is EndpointIndependent. AddressDependent tells 64 remote
	// addresses apart, AddressAndPortDependent 64 connections in a row.
	Mapping Behavior
	// Filtering says which remotes may answer to a mapping. The default is
	// AddressAndPortDependent.
	Filtering Behavior
	// NewPort makes an EndpointIndependent mapping take a port from 20000 to
	// 29999 in place of the host's own. A host's own port in that range is kept
	// all the same. The dependent mappings never keep the port.
	NewPort bool
	// Hairpin lets hosts behind the router reach its mappings and forwarded
	// ports by its public address, and be seen with it. What takes this way is
	// not filtered.
	Hairpin bool
}

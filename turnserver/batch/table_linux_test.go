package batch

import (
	"net/netip"
	"testing"
)

// TestFlowsOfLinks: what Tuple says of a datagram to a link-local address finds its sender
// again, and nobody who has asked the same address on another link.
func TestFlowsOfLinks(t *testing.T) {
	for _, to := range []string{"fe80::2", "2001:db8::2", "::ffff:169.254.0.2", "::ffff:192.0.2.2"} {
		var client sockaddr
		client.set(netip.MustParseAddrPort("[fe80::1]:40000"), true)
		s := &socket{listener: &Listener{wildcard: true}, port: 3478}
		local := netip.MustParseAddr(to).As16()
		here := sender{client: &client, local: scoped(local, 1)}
		other := sender{client: &client, local: scoped(local, 2)}
		d := Datagram{socket: s, sender: here}

		flows := newFlows()
		entered := senderOf(d.Tuple(), 0, true)
		flows.put(&entered, "here")
		if got := flows.get(&here); got != "here" {
			t.Errorf("%s: %v is found, by %v", to, got, d.Tuple())
		}
		if got := flows.get(&other); (got == nil) != (to == "fe80::2") {
			t.Errorf("%s: %v is found on another link", to, got)
		}
		if got := d.Tuple().Local.Addr().WithZone(""); got != netip.MustParseAddr(to).Unmap() {
			t.Errorf("%s: the address asked is %v", to, got)
		}
	}
}

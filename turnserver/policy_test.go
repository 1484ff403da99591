package turnserver

import (
	"net/netip"
	"testing"

	"github.com/pion/stun/v2"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// testOwn is a router: a LAN, a public address of each family, a container
// bridge.
var testOwn = ownAddressesOf(prefixes(
	"127.0.0.1/8", "::1/128", "fe80::1/64",
	"192.168.1.1/24", "172.17.0.1/16", "8.7.6.5/29", "10.9.9.9/32", "10.8.8.8/31",
	"2600:1:2:3456::1/64", "2600:9::1/48", "fd00:aaaa::1/64",
))

// TestPolicyRanges asks for the first and the last address of each built-in
// range and for its neighbours outside.
func TestPolicyRanges(t *testing.T) {
	tests := []struct {
		first, last    string
		reason         string
		before, behind string // the reasons of the neighbours
	}{
		{"0.0.0.0", "0.255.255.255", "unspecified", "", ""},
		{"10.0.0.0", "10.255.255.255", "private", "", ""},
		{"100.64.0.0", "100.127.255.255", "cgnat", "", ""},
		{"127.0.0.0", "127.255.255.255", "loopback", "", ""},
		{"169.254.0.0", "169.254.255.255", "link-local", "", ""},
		{"172.16.0.0", "172.31.255.255", "private", "", ""},
		{"192.0.0.0", "192.0.0.255", "special", "", ""},
		{"192.0.2.0", "192.0.2.255", "documentation", "", ""},
		{"192.88.99.0", "192.88.99.255", "6to4", "", ""},
		{"192.168.0.0", "192.168.255.255", "private", "", ""},
		{"198.18.0.0", "198.19.255.255", "benchmarking", "", ""},
		{"198.51.100.0", "198.51.100.255", "documentation", "", ""},
		{"203.0.113.0", "203.0.113.255", "documentation", "", ""},
		{"224.0.0.0", "239.255.255.255", "multicast", "", "reserved"},
		{"240.0.0.0", "255.255.255.254", "reserved", "multicast", "broadcast"},
		{"255.255.255.255", "255.255.255.255", "broadcast", "reserved", ""},

		{"::", "::", "unspecified", "", "loopback"},
		{"::1", "::1", "loopback", "unspecified", "v4-compatible"},
		{"::2", "::ffff:ffff", "v4-compatible", "loopback", "not-global"},
		{"::ffff:0.0.0.0", "::ffff:255.255.255.255", "v4-mapped", "not-global", "not-global"},
		{"::ffff:0:0.0.0.0", "::ffff:0:255.255.255.255", "v4-translated", "not-global", "not-global"},
		{"64:ff9b::", "64:ff9b::ffff:ffff", "nat64", "not-global", "not-global"},
		{"64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "nat64", "not-global", "not-global"},
		{"100::", "100::ffff:ffff:ffff:ffff", "discard", "not-global", "special"},
		{"100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", "special", "discard", "not-global"},
		{"2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "teredo", "", "special"},
		{"2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", "benchmarking", "special", "special"},
		{"2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", "orchid", "special", "orchid"},
		{"2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", "orchid", "orchid", "special"},
		{"2001:30::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "special", "orchid", ""},
		{"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "documentation", "", ""},
		{"2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "6to4", "", ""},
		{"3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "documentation", "", ""},
		{"4000::", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "not-global", "", "special"},
		{"5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "special", "not-global", "not-global"},
		{"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "private", "not-global", "not-global"},
		{"fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local", "not-global", "site-local"},
		{"fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "site-local", "link-local", "multicast"},
		{"ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast", "site-local", ""},
	}
	p := newPolicy(nil, nil, ownAddresses{})
	for _, tt := range tests {
		first, last := addr(tt.first), addr(tt.last)
		wantReason(t, p, first, tt.reason)
		wantReason(t, p, last, tt.reason)
		if a := first.Prev(); a.IsValid() {
			wantReason(t, p, a, tt.before)
		}
		if a := last.Next(); a.IsValid() {
			wantReason(t, p, a, tt.behind)
		}
	}
}

func wantReason(t *testing.T, p *policy, a netip.Addr, want string) {
	t.Helper()
	if got := p.reason(a); got != want {
		t.Errorf("reason(%v) = %q, want %q", a, got, want)
	}
	if got := p.permits(a); got != (want == "") {
		t.Errorf("permits(%v) = %v with reason %q", a, got, want)
	}
}

// TestPolicySpellings asks for IPv4 addresses inside of IPv6 ones: denied by
// default, and where allow opens the spelling, judged by what is inside.
func TestPolicySpellings(t *testing.T) {
	spellings := []struct {
		reason string
		allow  string
		spell  func(v4 [4]byte) netip.Addr
	}{
		{"v4-mapped", "::ffff:0:0/96", at("::ffff:0:0", 12, 13, 14, 15)},
		{"v4-translated", "::ffff:0:0:0/96", at("::ffff:0:0:0", 12, 13, 14, 15)},
		{"nat64", "64:ff9b::/96", at("64:ff9b::", 12, 13, 14, 15)},
		{"nat64", "64:ff9b:1::/48", at("64:ff9b:1::", 12, 13, 14, 15)},
		{"nat64", "64:ff9b:1::/48", at("64:ff9b:1::", 6, 7, 9, 10)},
		{"nat64", "64:ff9b:1::/48", at("64:ff9b:1:8800::", 7, 9, 10, 11)},
		{"nat64", "64:ff9b:1::/48", at("64:ff9b:1:8899::", 9, 10, 11, 12)},
		{"6to4", "2002::/16", at("2002::", 2, 3, 4, 5)},
		{"isatap", "2600::/16", at("2600::5efe:0:0", 12, 13, 14, 15)},
		{"isatap", "2600::/16", at("2600::200:5efe:0:0", 12, 13, 14, 15)},
		{"isatap", "2600::/16", at("2600::300:5efe:0:0", 12, 13, 14, 15)},
		{"teredo", "2001::/32", at("2001:0:808:808::f7f7:f7f7", 4, 5, 6, 7)},
		{"teredo", "2001::/32", func(v4 [4]byte) netip.Addr {
			return at("2001:0:808:808::", 12, 13, 14, 15)([4]byte{^v4[0], ^v4[1], ^v4[2], ^v4[3]})
		}},
	}
	insides := []struct{ v4, reason string }{
		{"8.8.8.8", ""},
		{"9.9.9.9", reasonDenied},
		{"127.0.0.1", "loopback"},
		{"169.254.169.254", "link-local"},
		{"224.0.0.1", "multicast"},
		{"255.255.255.255", "broadcast"},
		{"192.168.1.1", "own-address"},
		{"192.168.1.255", "broadcast"},
		{"192.168.1.2", "private"},
		{"100.64.0.1", "cgnat"},
		{"172.20.0.1", ""}, // allowed
	}
	closed := newPolicy(nil, nil, testOwn)
	for _, s := range spellings {
		open := newPolicy(prefixes(s.allow, "172.20.0.0/16"), prefixes("9.0.0.0/8"), testOwn)
		denied := newPolicy(prefixes(s.allow, "172.20.0.0/16"), prefixes(s.allow), testOwn)
		for _, in := range insides {
			a := s.spell(addr(in.v4).As4())
			wantReason(t, closed, a, s.reason)
			wantReason(t, open, a, in.reason)
			wantReason(t, denied, a, reasonDenied)
		}
	}
	// 0.0.0.0/8 inside, where it can't be mistaken for the unused rest.
	for _, s := range []string{"::ffff:0.0.0.0", "64:ff9b::", "64:ff9b:1::", "2002::", "2600::5efe:0:0"} {
		wantReason(t, newPolicy(prefixes("::/0"), nil, testOwn), addr(s), "unspecified")
	}
}

// at returns a speller that writes an IPv4 address into these bytes of base.
func at(base string, places ...int) func([4]byte) netip.Addr {
	return func(v4 [4]byte) netip.Addr {
		b := addr(base).As16()
		for i, place := range places {
			b[place] = v4[i]
		}
		return netip.AddrFrom16(b)
	}
}

func TestPolicyOrder(t *testing.T) {
	everything := []string{"0.0.0.0/0", "::/0"}
	tests := []struct {
		name        string
		allow, deny []string
		addr        string
		reason      string
	}{
		{"nothing set", nil, nil, "8.8.8.8", ""},
		{"nothing set, IPv6", nil, nil, "2a00::1", ""},
		{"denied", nil, []string{"8.8.8.0/24"}, "8.8.8.8", "deny-list"},
		{"denied, IPv6", nil, []string{"2a00::/32"}, "2a00::1", "deny-list"},
		{"beside what is denied", nil, []string{"8.8.8.0/24"}, "8.8.9.8", ""},
		{"denied in mapped spelling", nil, []string{"::ffff:8.8.8.0/120"}, "8.8.8.8", "deny-list"},
		{"denied with host bits", nil, []string{"8.8.8.200/24"}, "8.8.8.8", "deny-list"},
		{"deny before allow", []string{"10.0.0.0/8"}, []string{"10.1.0.0/16"}, "10.1.0.1", "deny-list"},
		{"allow before built-in", []string{"10.0.0.0/8"}, []string{"10.1.0.0/16"}, "10.2.0.1", ""},
		{"allow of ULA", []string{"fd12::/16"}, nil, "fd12::5", ""},
		{"allow of one family", []string{"0.0.0.0/0"}, nil, "fd12::5", "private"},
		{"allow opens reserved", everything, nil, "240.0.0.1", ""},
		{"mapped allow opens no IPv4", []string{"::ffff:0:0/96"}, nil, "10.0.0.1", "private"},
		{"mapped allow opens no private IPv4", []string{"::ffff:0:0/96"}, nil, "::ffff:10.0.0.1", "private"},

		{"never loopback", everything, nil, "127.0.0.1", "loopback"},
		{"never loopback, exact", []string{"127.0.0.1/32"}, nil, "127.0.0.1", "loopback"},
		{"never loopback, IPv6", everything, nil, "::1", "loopback"},
		{"never unspecified", everything, nil, "0.0.0.0", "unspecified"},
		{"never 0/8", everything, nil, "0.1.2.3", "unspecified"},
		{"never ::", everything, nil, "::", "unspecified"},
		{"never link-local", []string{"169.254.169.254/32"}, nil, "169.254.169.254", "link-local"},
		{"never link-local, IPv6", []string{"fe80::/10"}, nil, "fe80::1", "link-local"},
		{"never multicast", everything, nil, "224.0.0.251", "multicast"},
		{"never multicast, IPv6", everything, nil, "ff02::1", "multicast"},
		{"never broadcast", everything, nil, "255.255.255.255", "broadcast"},

		{"own address", nil, nil, "8.7.6.5", "own-address"},
		{"never an own address", everything, nil, "192.168.1.1", "own-address"},
		{"never an own address, exact", []string{"192.168.1.1/32"}, nil, "192.168.1.1", "own-address"},
		{"never an own address, IPv6", everything, nil, "2600:1:2:3456::1", "own-address"},
		{"never an own ULA", everything, nil, "fd00:aaaa::1", "own-address"},
		{"never a directed broadcast", everything, nil, "192.168.1.255", "broadcast"},
		{"never the old directed broadcast", everything, nil, "172.17.0.0", "broadcast"},
		{"directed broadcast of a public network", nil, nil, "8.7.6.7", "broadcast"},
		{"no broadcast in a /31", everything, nil, "10.8.8.9", ""},
		{"neighbour on the LAN", nil, nil, "192.168.1.2", "private"},
		{"allowed neighbour on the LAN", []string{"192.168.1.0/24"}, nil, "192.168.1.2", ""},
		{"neighbour of a public address", nil, nil, "8.7.6.4", ""},

		{"own /64", nil, nil, "2600:1:2:3456::2", "own-network"},
		{"own /56, first", nil, nil, "2600:1:2:3400::", "own-network"},
		{"own /56, last", nil, nil, "2600:1:2:34ff:ffff:ffff:ffff:ffff", "own-network"},
		{"before the own /56", nil, nil, "2600:1:2:33ff:ffff:ffff:ffff:ffff", ""},
		{"behind the own /56", nil, nil, "2600:1:2:3500::", ""},
		{"own /48", nil, nil, "2600:9:0:ffff::", "own-network"},
		{"allowed in the own /56", []string{"2600:1:2:3456::/64"}, nil, "2600:1:2:3456::2", ""},
		{"ISATAP of the own /56", nil, nil, "2600:1:2:3456::5efe:808:808", "isatap"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			own := testOwn
			if tt.addr == "8.7.6.4" { // the first of a /29 is 8.7.6.0
				own = ownAddressesOf(prefixes("8.7.6.5/29"))
			}
			wantReason(t, newPolicy(prefixes(tt.allow...), prefixes(tt.deny...), own), addr(tt.addr), tt.reason)
		})
	}
}

func TestPolicyRefusesWhatIsNoPlainAddress(t *testing.T) {
	p := newPolicy(prefixes("::/0", "0.0.0.0/0"), nil, ownAddresses{})
	wantReason(t, p, netip.Addr{}, reasonInvalid)
	wantReason(t, p, addr("2a00::1%eth0"), reasonZone)
	wantReason(t, p, addr("fe80::1%eth0"), reasonZone)
	wantReason(t, p, addr("::ffff:8.8.8.8%eth0"), reasonZone)
	newPolicy([]netip.Prefix{{}}, []netip.Prefix{{}}, ownAddresses{}).permits(addr("::1"))
}

func TestPolicyDoesNotAllocate(t *testing.T) {
	p := newPolicy(prefixes("64:ff9b::/32", "2600::/16"), prefixes("9.0.0.0/8"), testOwn)
	for _, s := range []string{"8.8.8.8", "10.0.0.1", "2a00::1", "64:ff9b:1::8.8.8.8", "2600::5efe:8.8.8.8", "8.7.6.5", "::1"} {
		a := addr(s)
		if n := testing.AllocsPerRun(100, func() { p.permits(a) }); n != 0 {
			t.Errorf("permits(%v) allocates %v times", a, n)
		}
	}
}

// FuzzPolicy gives an address of any spelling to policies that are as open as a
// configuration can make them.
func FuzzPolicy(f *testing.F) {
	for _, s := range []string{
		"8.8.8.8", "127.0.0.1", "192.168.1.1", "192.168.1.255", "::1", "::ffff:127.0.0.1", "::127.0.0.1",
		"64:ff9b::127.0.0.1", "64:ff9b:1:7f00:0:100::", "2002:7f00:1::", "2001:0:7f00:1::", "2600::5efe:7f00:1",
		"::ffff:0:127.0.0.1", "2600:1:2:3456::1", "fe80::1", "ff02::1",
	} {
		f.Add(addr(s).AsSlice())
	}
	closed := newPolicy(nil, nil, testOwn)
	open := newPolicy(prefixes("0.0.0.0/0", "::/0"), nil, testOwn)
	shut := newPolicy(prefixes("0.0.0.0/0", "::/0"), prefixes("0.0.0.0/0", "::/0"), testOwn)
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, ok := netip.AddrFromSlice(raw)
		if !ok {
			return
		}
		if shut.permits(a) {
			t.Errorf("%v permitted though everything is denied", a)
		}
		if closed.permits(a) && !open.permits(a) {
			t.Errorf("%v permitted by default, denied (%s) with all allowed", a, open.reason(a))
		}
		if closed.permits(a) && (!a.IsGlobalUnicast() || a.IsPrivate() || a.Is4In6()) {
			t.Errorf("%v permitted by default", a)
		}
		if a.Is4() {
			checkMapped(t, closed, open, a)
		}
		if open.permits(a) {
			checkReachable(t, a)
		}
	})
}

// checkMapped compares an IPv4 address with its mapped spelling: denied by
// default, and the same as the address itself where that spelling is open.
func checkMapped(t *testing.T, closed, open *policy, v4 netip.Addr) {
	mapped := netip.AddrFrom16(v4.As16())
	if closed.permits(mapped) {
		t.Errorf("%v permitted by default", mapped)
	}
	if got, want := open.reason(mapped), open.reason(v4); got != want {
		t.Errorf("reason(%v) = %q, of %v %q", mapped, got, v4, want)
	}
}

// checkReachable fails where a, or any four bytes of it that a spelling puts an
// IPv4 address into, must never be reached. It knows of the spellings only
// where their address is, not how embedded finds it.
func checkReachable(t *testing.T, a netip.Addr) {
	if isNever(a) {
		t.Errorf("%v permitted", a)
	}
	b := a.As16()
	in := func(prefix string) bool { return netip.MustParsePrefix(prefix).Contains(a) }
	last := netip.AddrFrom4([4]byte(b[12:]))
	for _, p := range []string{"::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"} {
		if in(p) && isNever(last) {
			t.Errorf("%v permitted, which is %v", a, last)
		}
	}
	if in("64:ff9b:1::/48") && isNever(last) && last.As4()[0] != 0 {
		t.Errorf("%v permitted, which can be %v", a, last)
	}
	if v4 := netip.AddrFrom4([4]byte(b[2:6])); in("2002::/16") && isNever(v4) {
		t.Errorf("%v permitted, which is 6to4 of %v", a, v4)
	}
	if v4 := netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}); in("2001::/32") && isNever(v4) {
		t.Errorf("%v permitted, which is Teredo of %v", a, v4)
	}
	if a.Is6() && string(b[9:12]) == "\x00\x5e\xfe" && (b[8] == 0 || b[8] == 2) && isNever(last) {
		t.Errorf("%v permitted, which is ISATAP of %v", a, last)
	}
}

// isNever tells by other means than the tables what must never be reached.
func isNever(a netip.Addr) bool {
	for _, own := range testOwn.addrs {
		if a == own {
			return true
		}
	}
	broadcast := a == addr("192.168.1.255") || a == addr("192.168.1.0") || a == addr("255.255.255.255")
	return broadcast || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() ||
		a.Is4() && a.As4()[0] == 0
}

func BenchmarkPolicyPermits(b *testing.B) {
	p := newPolicy(nil, nil, testOwn)
	for _, s := range []string{"8.8.8.8", "2a00::1"} {
		a := addr(s)
		b.Run(s, func(b *testing.B) {
			for b.Loop() {
				p.permits(a)
			}
		})
	}
}

// TestDeniedMeanwhile: a peer that is denied once the rules have let a request pass is
// refused by the session itself, and so is what comes to one that has ended.
func TestDeniedMeanwhile(t *testing.T) {
	p := newPipeline(t)
	s := p.session
	denied := netip.MustParseAddrPort("10.0.0.1:9")
	refusals := func(want stun.ErrorCode) {
		t.Helper()
		if got := s.permit([]netip.AddrPort{denied}); got != want {
			t.Errorf("a permission: %d, want %d", got, want)
		}
		if got := s.bind(pipelineChannel+1, denied); got != want {
			t.Errorf("a channel: %d, want %d", got, want)
		}
		if f := s.flows.Load(); f.permission(denied.Addr()) != nil || f.channel(pipelineChannel+1) != nil {
			t.Error("it is let pass all the same")
		}
	}
	refusals(stun.CodeForbidden)
	p.server.sessions.end(s)
	refusals(stun.CodeAllocMismatch)
}

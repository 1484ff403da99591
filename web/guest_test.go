package web

import (
	"net/netip"
	"testing"
)

func TestGuestIDs(t *testing.T) {
	g := newGuests()
	id := func(addr string) string { return g.id(netip.MustParseAddr(addr)) }
	if id("::ffff:192.0.2.1") != id("192.0.2.1") || id("2001:db8::1") != id("2001:db8::2") {
		t.Error("one household has two names")
	}
	if id("192.0.2.1") == id("192.0.2.2") || id("2001:db8::1") == id("2001:db8:0:1::1") {
		t.Error("two households have one name")
	}
	if id("192.0.2.1") == newGuests().id(netip.MustParseAddr("192.0.2.1")) {
		t.Error("the name tells the address")
	}
	if !IsGuest(id("192.0.2.1")) || IsGuest("K7PD2XJQ4MZL5A3T") {
		t.Error("who is a guest is not known")
	}
}

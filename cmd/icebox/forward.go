package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"icebox/config"
	"icebox/internal/hostnet"
	"icebox/web"
)

// forward is one row of what a router has to forward to this box.
type forward struct {
	networks string     // udp, tcp, or both
	outside  string     // the port as the internet sees it
	inside   string     // the port of this box; empty: the same
	to       netip.Addr // the address of this box; none: it has no network yet
	what     string
}

// forwards lists what has to reach this box from the internet: TURN, the pages,
// and the relay ports. They lead to what a listener is bound to, else to home.
// Listeners on loopback are for nobody outside.
func forwards(cfg *config.Config, turn []net.Addr, page net.Addr, home netip.Addr) []forward {
	var rows []forward
	for i, a := range turn {
		if addressOf(a).IsLoopback() {
			continue
		}
		port := portOf(a)
		outside := port
		if cfg.Public.TURNPort != 0 && port == web.ForwardedPort(cfg, turn) {
			outside = cfg.Public.TURNPort
		}
		network, what := cfg.TURN.Listen[i].Network, "TURN and STUN"
		if network == "tls" {
			network, what = "tcp", "TURN over TLS"
		}
		rows = append(rows, newForward(network, outside, port, boundTo(addressOf(a), home), what))
	}
	if !addressOf(page).IsLoopback() {
		port := portOf(page)
		what := "the pages, signaling, TURN over TLS"
		if cfg.TLS.Source == "off" {
			what = "the pages and signaling"
		}
		rows = append(rows, newForward("tcp", outsidePort(cfg, port), port, boundTo(addressOf(page), home), what))
	}
	relay := cfg.TURN.Relay
	rows = append(rows, forward{
		networks: "udp",
		outside:  fmt.Sprintf("%d-%d", relay.Ports.Min, relay.Ports.Max),
		to:       boundTo(relay.Address, home),
		what:     "relayed calls",
	})
	return mergeNetworks(rows)
}

// boundTo is the address that a listener is reached at: its own, or home where it
// takes all.
func boundTo(own, home netip.Addr) netip.Addr {
	if !own.IsValid() || own.IsUnspecified() {
		return home
	}
	return own
}

func newForward(network string, outside, inside int, to netip.Addr, what string) forward {
	f := forward{networks: network, outside: fmt.Sprint(outside), to: to, what: what}
	if inside != outside {
		f.inside = fmt.Sprint(inside)
	}
	return f
}

// mergeNetworks makes one row of those that differ in their network alone, and
// drops the second of two that are the same.
func mergeNetworks(rows []forward) []forward {
	var merged []forward
	for _, row := range rows {
		i := slices.IndexFunc(merged, func(m forward) bool {
			return m.outside == row.outside && m.inside == row.inside && m.to == row.to && m.what == row.what
		})
		switch {
		case i < 0:
			merged = append(merged, row)
		case merged[i].networks != row.networks:
			merged[i].networks = "udp and tcp"
		}
	}
	return merged
}

// String is the row as a person reads it, in columns that tabs separate.
func (f forward) String() string {
	ports := f.outside
	switch {
	case f.to.IsValid() && f.inside != "":
		ports += " to " + net.JoinHostPort(f.to.String(), f.inside)
	case f.to.IsValid():
		ports += " to " + f.to.String()
	case f.inside != "":
		ports += " to " + f.inside
	}
	return f.networks + "\t" + ports + "\t" + f.what
}

// opening says what to do with ports that lead to the address to, and what they
// are once it is done. An address that the internet knows has no router that
// translates it, though with IPv6 one that guards it.
func opening(to netip.Addr) (do, done string) {
	switch {
	case !to.IsValid():
		return "forward these ports of the router to this box, which has no network yet", "forwarded"
	case to.Is6() && hostnet.OnInternet(to):
		return "let these ports in through the firewalls of the router and of this machine", "let in"
	case hostnet.OnInternet(to) || hostnet.IsShared(to):
		return "let these ports in through this machine's firewall", "let in"
	}
	return fmt.Sprintf("forward these ports of the router to %s", to), "forwarded"
}

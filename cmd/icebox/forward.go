package main

import (
	"fmt"
	"net"
	"slices"

	"icebox/config"
)

// forward is one row of what a router has to forward to this box.
type forward struct {
	networks string // udp, tcp, or both
	outside  string // the port as the internet sees it
	inside   string // the port of this box; empty: the same
	what     string
}

// forwards lists what has to reach this box from the internet: TURN, the pages,
// and the relay ports. Listeners on loopback are for nobody outside.
func forwards(cfg *config.Config, turn []net.Addr, page net.Addr) []forward {
	var rows []forward
	for i, a := range turn {
		if addressOf(a).IsLoopback() {
			continue
		}
		port := portOf(a)
		outside := port
		if cfg.Public.TURNPort != 0 && port == firstUDPPort(cfg, turn) {
			outside = cfg.Public.TURNPort
		}
		network, what := cfg.TURN.Listen[i].Network, "TURN and STUN"
		if network == "tls" {
			network, what = "tcp", "TURN over TLS"
		}
		rows = append(rows, newForward(network, outside, port, what))
	}
	if !addressOf(page).IsLoopback() {
		port := portOf(page)
		what := "the pages, signaling, TURN over TLS"
		if cfg.TLS.Source == "off" {
			what = "the pages and signaling"
		}
		rows = append(rows, newForward("tcp", outsidePort(cfg, port), port, what))
	}
	relay := cfg.TURN.Relay.Ports
	rows = append(rows, forward{networks: "udp", outside: fmt.Sprintf("%d-%d", relay.Min, relay.Max), what: "relayed calls"})
	return mergeNetworks(rows)
}

func newForward(network string, outside, inside int, what string) forward {
	f := forward{networks: network, outside: fmt.Sprint(outside), what: what}
	if inside != outside {
		f.inside = fmt.Sprint(inside)
	}
	return f
}

// firstUDPPort is the port that public.turn_port stands for.
func firstUDPPort(cfg *config.Config, turn []net.Addr) int {
	i := slices.IndexFunc(cfg.TURN.Listen, func(l config.Listener) bool { return l.Network == "udp" })
	if i < 0 || i >= len(turn) {
		return 0
	}
	return portOf(turn[i])
}

// mergeNetworks makes one row of those that differ in their network alone, and
// drops the second of two that are the same.
func mergeNetworks(rows []forward) []forward {
	var merged []forward
	for _, row := range rows {
		i := slices.IndexFunc(merged, func(m forward) bool {
			return m.outside == row.outside && m.inside == row.inside && m.what == row.what
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

// String is the row as a person reads it.
func (f forward) String() string {
	ports := f.outside
	if f.inside != "" {
		ports += " to " + f.inside
	}
	return fmt.Sprintf("%-11s  %-13s  %s", f.networks, ports, f.what)
}

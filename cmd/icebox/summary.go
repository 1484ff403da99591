package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"text/tabwriter"

	"github.com/mdp/qrterminal/v3"

	"icebox/config"
	"icebox/internal/hostnet"
	"icebox/web"
)

// summary is what serve tells the person who started it.
type summary struct {
	cfg     *config.Config
	turn    []net.Addr // in the order of turn.listen
	page    net.Addr
	lan     []lanAddress // at least one
	users   []string
	https   bool
	trusted bool // by browsers, the certificate
	// relayLocal is the address that relayed calls use where it is one that the
	// internet does not see; otherwise the zero Addr.
	relayLocal netip.Addr
	noRelay    bool // no address to relay with was found at all
	noIPv4     bool // there are IPv6 addresses alone
	terminal   bool // a person reads it: a QR code helps, and an invite is told
	room       string
	invite     string // into room
}

// print writes the whole summary in one piece. It holds no secret but what
// describeUsers put in, and on a terminal an invite.
func (s summary) print(out io.Writer) {
	w := new(bytes.Buffer)
	fmt.Fprintf(w, "\nicebox is serving.\n\nOpen in a browser:\n")
	for _, row := range s.pages() {
		fmt.Fprintf(w, "  %s\n", row)
	}
	s.printPorts(w)
	fmt.Fprintf(w, "\nUsers:\n")
	for _, u := range s.users {
		fmt.Fprintf(w, "  %s\n", u)
	}
	fmt.Fprintf(w, "\nFor an RTCPeerConnection of your own:\n%s\n", s.snippet())
	for _, note := range s.notes() {
		fmt.Fprintf(w, "\n* %s\n", note)
	}
	if s.terminal {
		link := web.RoomLink(s.link(), s.room, s.invite)
		fmt.Fprintf(w, "\nA call with whoever gets this link, for a day (icebox invite ROOM makes others):\n  %s\n", link)
		qrterminal.GenerateHalfBlock(link, qrterminal.L, w)
	}
	fmt.Fprintln(w)
	out.Write(w.Bytes()) // nobody reads it: the box serves all the same
}

// printPorts prints what has to reach this box: the address that the first port
// leads to stands above them, another in its row.
func (s summary) printPorts(out io.Writer) {
	rows := s.ports()
	usual := rows[0].to
	do, _ := opening(usual)
	fmt.Fprintf(out, "\nTo be reached from the internet, %s:\n", do)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range rows {
		if f.to == usual {
			f.to = netip.Addr{}
		}
		fmt.Fprintf(w, "  %s\n", f)
	}
	w.Flush()
	if guarded := s.guarded(); usual.Is4() && guarded.IsValid() {
		fmt.Fprintf(out, "Over IPv6 nothing is forwarded: let them in to %s through the router's firewall.\n", guarded)
	}
}

// guarded is the IPv6 address that the internet knows of a box whose IPv4 address is
// behind a router that translates it; the zero Addr where there is none.
func (s summary) guarded() netip.Addr {
	if addressOf(s.page) != netip.IPv6Unspecified() || hostnet.OnInternet(s.home()) {
		return netip.Addr{}
	}
	for _, a := range s.lan {
		if a.ip.Is6() && !a.tunnel && hostnet.OnInternet(a.ip) {
			return a.ip
		}
	}
	return netip.Addr{}
}

func (s summary) ports() []forward { return forwards(s.cfg, s.turn, s.page, s.home()) }

// home is the first address of this box; the zero Addr where it has no network.
func (s summary) home() netip.Addr {
	if len(s.lan) == 0 || s.lan[0].ip.IsLoopback() {
		return netip.Addr{}
	}
	return s.lan[0].ip
}

func (s summary) scheme() string {
	if s.https {
		return "https"
	}
	return "http"
}

// pages lists the addresses of the landing page, the public one first.
func (s summary) pages() []string {
	var rows []string
	public := publicPage(s.cfg, s.scheme(), portOf(s.page))
	if public != "" {
		rows = append(rows, fmt.Sprintf("%-36s %s", public, s.publicReach()))
	}
	if bound := addressOf(s.page); bound.IsValid() && !bound.IsUnspecified() {
		return append(rows, web.PageURL(s.scheme(), bound.String(), portOf(s.page)))
	}
	if !s.home().IsValid() {
		row := web.PageURL(s.scheme(), s.lan[0].ip.String(), portOf(s.page))
		return append(rows, fmt.Sprintf("%-36s from this machine alone: it has no network yet", row))
	}
	for _, a := range s.lan {
		if row := web.PageURL(s.scheme(), a.ip.String(), portOf(s.page)); row != public {
			rows = append(rows, fmt.Sprintf("%-36s from this network (%s)", row, a.via))
		}
	}
	return rows
}

// publicReach says from where the public page is reached, and what it takes.
func (s summary) publicReach() string {
	if s.cfg.Domain == "" && s.cfg.Public.URL == "" && !hostnet.OnInternet(staticAddress(s.cfg)) {
		return "from the network of that address"
	}
	_, done := opening(s.ports()[0].to)
	return "from the internet, once the ports below are " + done
}

// link is the one landing page that links are made of.
func (s summary) link() string {
	first, _, _ := strings.Cut(s.pages()[0], " ")
	return first
}

// snippet is the argument of an RTCPeerConnection, with a placeholder for the
// password.
func (s summary) snippet() string {
	host, err := publicName(s.cfg, s.lan[0].ip)
	if err != nil {
		host = s.lan[0].ip.String()
	}
	cred := web.Credentials{Username: "NAME", Password: "PASSWORD"}
	if len(s.cfg.TURN.Users) > 0 {
		cred.Username = s.cfg.TURN.Users[0].Name
		cred.Password = "PASSWORD OF " + cred.Username
	}
	ice := web.ICEServers(s.cfg, s.turn, web.Hosts{Public: host}, cred, s.trusted)
	rows := make([]string, len(ice.Servers))
	for i, server := range ice.Servers {
		row, _ := json.Marshal(server) // strings alone: it can't fail
		rows[i] = "    " + string(row)
	}
	return "  {\"iceServers\": [\n" + strings.Join(rows, ",\n") + "\n  ]}"
}

// notes are what its owner should know about this box, in plain words.
func (s summary) notes() []string {
	var notes []string
	if s.https && !s.trusted {
		notes = append(notes, "Browsers do not know the certificate of this box: they warn once, and an iPhone\n"+
			"  refuses calls. For a real one: domain, tls.cert and tls.key in config.yaml.")
	}
	if !s.https {
		notes = append(notes, "tls.source is off: browsers open cameras on https pages alone, so something in\n"+
			"  front of icebox has to speak https.")
	}
	if s.relayLocal.IsValid() {
		notes = append(notes, fmt.Sprintf("Relayed calls use %s, which the internet does not see: from outside\n"+
			"  only two who both use the relay meet. Give the public address in public.ipv4 of\n"+
			"  config.yaml.", s.relayLocal))
	}
	if s.noRelay {
		notes = append(notes, "No address was found that calls could be relayed with. Give one in public.ipv4 or\n"+
			"  public.ipv6 of config.yaml.")
	}
	if s.noIPv4 {
		notes = append(notes, "This box has no IPv4 address, and browsers ask for IPv4 relays: calls that need the\n"+
			"  relay fail. With domain set, any address in public.ipv4 of config.yaml, such as\n"+
			"  192.0.2.1, lets two who both use the relay meet inside of this box.")
	}
	if home := s.home(); hostnet.IsShared(home) {
		notes = append(notes, fmt.Sprintf("%s is an address that the provider shares among many homes: ports can't be\n"+
			"  forwarded to it. IPv6 helps, or a public IPv4 address, which the provider may give.", home))
	}
	if s.cfg.Signaling.SeedRoom {
		notes = append(notes, "Whoever reaches / with a WebSocket reads everything that is sent there. The pages\n"+
			"  of icebox meet elsewhere; signaling.seed_room: false closes it.")
	}
	return notes
}

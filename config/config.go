// Package config holds the whole configuration of the box: its types, its
// defaults, how it is loaded and validated, the secrets it generates, and the
// watcher that sees it change.
//
// Load reads one YAML file, the ICEBOX_SECTION_KEY environment and the secret
// files that it names, and returns either a Config that every package can rely
// on without checking it again, or all that is wrong with it, each with its
// line. viper stays in here.
package config

import (
	"net/netip"
	"time"
)

// Config is one validated configuration. It is never changed after Load (and
// Secrets, which fills in what is generated) has returned it: a reload makes a
// new one.
type Config struct {
	// Path is the absolute path of the file that this came from, or empty where
	// the built-in defaults are in force.
	Path string `mapstructure:"-"`

	// Domain is the public name of the box as its owner wrote it, Unicode or
	// xn--. Empty: a trial on the LAN.
	Domain string `mapstructure:"domain"`
	// StateDir holds generated secrets and certificates. Absolute after Load.
	StateDir string `mapstructure:"state_dir"`

	Public    Public    `mapstructure:"public"`
	TURN      TURN      `mapstructure:"turn"`
	Signaling Signaling `mapstructure:"signaling"`
	TLS       TLS       `mapstructure:"tls"`
	Admin     Admin     `mapstructure:"admin"`
	Log       Log       `mapstructure:"log"`

	path      string            // as it was given to Load
	paths     []string          // the files that this was read from, absolute
	digest    digest            // of what was in them
	origins   map[string]origin // where each key stands, for Describe
	generated map[string]string // the secrets of StateDir by their files; empty: there is none yet
}

// Public says which address the internet sees and how that is found out.
type Public struct {
	// Source is auto, static, interface, dns or stun. Auto is static where an
	// address is given, else interface.
	Source string `mapstructure:"source"`
	// IPv4 is the public IPv4 address of a static source. Zero: none.
	IPv4 netip.Addr `mapstructure:"ipv4"`
	// IPv6 is the public IPv6 address of a static source. Zero: none.
	IPv6 netip.Addr `mapstructure:"ipv6"`
	// DNS is the name that a dns source follows. Empty: Domain.
	DNS string `mapstructure:"dns"`
	// STUN are the servers, host:port, that a stun source asks.
	STUN []string `mapstructure:"stun"`
	// Interval is how often a source that can change is asked again.
	Interval time.Duration `mapstructure:"interval"`
	// TURNPort is 3478 as the internet sees it, where the router forwards
	// another port to it. 0: the port of the first udp listener.
	TURNPort int `mapstructure:"turn_port"`
	// URL is the signaling listener as the internet sees it, where port or path
	// differ. Empty: https://Domain:port.
	URL string `mapstructure:"url"`
}

// MaxCredentialTTL is the longest that time-limited credentials can be good for.
const MaxCredentialTTL = 366 * 24 * time.Hour

// TURN is the STUN and TURN server.
type TURN struct {
	// Realm of the long-term credentials. Empty: Domain, else "icebox"; after
	// Load it is never empty.
	Realm string `mapstructure:"realm"`
	// Listen are the listeners; no two have the same network and address.
	Listen []Listener `mapstructure:"listen"`
	// StunAlternate turns RFC 5780 on.
	StunAlternate StunAlternate `mapstructure:"stun_alternate"`
	Relay         Relay         `mapstructure:"relay"`
	// Users are the static users, their names unique.
	Users []User `mapstructure:"users"`
	// Secret is the shared secret of time-limited credentials, at least 16 bytes
	// where it is given. Empty in the file: generated, and filled in by Secrets.
	Secret string `mapstructure:"secret"`
	// SecretFile is a file that holds Secret. Absolute after Load.
	SecretFile string `mapstructure:"secret_file"`
	// CredentialTTL is how long a time-limited credential is good for, at most
	// MaxCredentialTTL.
	CredentialTTL time.Duration `mapstructure:"credential_ttl"`
	// Drain is how long live sessions may go on after SIGTERM.
	Drain  time.Duration `mapstructure:"drain"`
	Peers  Peers         `mapstructure:"peers"`
	Limits Limits        `mapstructure:"limits"`
}

// Listener is one address that TURN is served on.
type Listener struct {
	Network string `mapstructure:"network"` // udp, tcp or tls
	Address string `mapstructure:"address"` // host:port; an empty host is every address of the box, IPv4 and IPv6
}

// StunAlternate is the second own address and port of RFC 5780.
type StunAlternate struct {
	Listen string `mapstructure:"listen"`
	Public string `mapstructure:"public"`
}

// Relay says where relay addresses are made and what carries their packets.
type Relay struct {
	Ports PortRange `mapstructure:"ports"`
	// Address is the local address that relay sockets bind, which this host must have.
	// Where public gives none of its family it is the public one as well. Zero: the relay
	// address where this host has it, else any.
	Address netip.Addr `mapstructure:"address"`
	// DataPath is auto, xdp, batch or plain.
	DataPath string `mapstructure:"datapath"`
	// Interfaces that xdp attaches to. Empty: the one of the default route.
	Interfaces []string `mapstructure:"interfaces"`
	// Pin ties the threads of batch to cores.
	Pin bool `mapstructure:"pin"`
}

// PortRange is written MIN-MAX in the file; both ends belong to it.
type PortRange struct {
	Min, Max uint16
}

// User is one static TURN user. Exactly one of Password, PasswordFile and Key
// is given in the file, or none, and then a password is generated (Secrets).
type User struct {
	Name         string `mapstructure:"name"`
	Password     string `mapstructure:"password"`      // after Secrets: set unless Key is
	PasswordFile string `mapstructure:"password_file"` // absolute after Load
	Key          string `mapstructure:"key"`           // MD5(name:realm:password) as 32 hex digits
}

// Peers is the owner's part of the peer policy. Deny is asked first, then
// Allow, then what is built in, then the peer is permitted.
type Peers struct {
	Allow []netip.Prefix `mapstructure:"allow"`
	Deny  []netip.Prefix `mapstructure:"deny"`
}

// Limits bound what clients can take. 0 in BandwidthPerUser means no limit;
// elsewhere a limit is at least 1.
type Limits struct {
	Allocations           int   `mapstructure:"allocations"`
	AllocationsPerUser    int   `mapstructure:"allocations_per_user"`
	Permissions           int   `mapstructure:"permissions"` // a session
	Channels              int   `mapstructure:"channels"`    // a session
	Connections           int   `mapstructure:"connections"` // streams
	ConnectionsPerAddress int   `mapstructure:"connections_per_address"`
	BandwidthPerUser      int64 `mapstructure:"bandwidth_per_user"` // bytes a second, both ways together
	// Unauthenticated bounds the answers to one IPv4 address or IPv6 /64.
	Unauthenticated Rate `mapstructure:"unauthenticated"`
}

// Rate is a token bucket: Rate events a second, Burst at once.
type Rate struct {
	Rate  float64 `mapstructure:"rate"`
	Burst int     `mapstructure:"burst"`
}

// Signaling is the HTTPS and WSS listener and its rooms.
type Signaling struct {
	Listen string `mapstructure:"listen"`
	// Origins that a browser may connect from: "*", or scheme://host[:port]. After
	// Load they are as browsers send them: ASCII, lower case, no default port.
	Origins []string `mapstructure:"origins"`
	// Access is invite or open: who may enter a room.
	Access string `mapstructure:"access"`
	// GuestTURN: with open access, whether guests get TURN credentials.
	GuestTURN bool `mapstructure:"guest_turn"`
	// SeedRoom: whether / alone is a relay that anybody can read.
	SeedRoom              bool          `mapstructure:"seed_room"`
	MaxMessage            int64         `mapstructure:"max_message"` // bytes
	MaxPeers              int           `mapstructure:"max_peers"`   // a room of /ws
	MaxConnections        int           `mapstructure:"max_connections"`
	ConnectionsPerAddress int           `mapstructure:"connections_per_address"`
	Messages              Rate          `mapstructure:"messages"` // from one peer
	Resume                time.Duration `mapstructure:"resume"`
	// TrustedProxies are those whose X-Forwarded-For counts.
	TrustedProxies []netip.Prefix `mapstructure:"trusted_proxies"`
}

// GuestsRelay says whether who enters a room without an invite, or asks /api/ice
// without a password, gets TURN credentials.
func (s *Signaling) GuestsRelay() bool { return s.Access == "open" && s.GuestTURN }

// TLS says where the certificate of every TLS listener comes from.
type TLS struct {
	// Source is auto, files, acme, self-signed or off; after Load it is never
	// auto: files where Cert and Key are given, else self-signed.
	Source string `mapstructure:"source"`
	Cert   string `mapstructure:"cert"` // PEM chain; absolute after Load
	Key    string `mapstructure:"key"`  // PEM key; absolute after Load
	ACME   ACME   `mapstructure:"acme"`
}

// ACME is the account and the challenge of a certificate authority.
type ACME struct {
	Email     string `mapstructure:"email"`
	Directory string `mapstructure:"directory"`
	Challenge string `mapstructure:"challenge"`
	DNSExec   string `mapstructure:"dns_exec"`
}

// Admin is the listener of metrics, health and status.
type Admin struct {
	// Listen is host:port. Empty: no admin listener.
	Listen string `mapstructure:"listen"`
}

// Log says how much is logged and how it looks.
type Log struct {
	Level  string `mapstructure:"level"`  // debug, info, warn or error
	Format string `mapstructure:"format"` // auto (text on a terminal, else json), text or json
}

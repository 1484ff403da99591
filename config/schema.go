package config

import (
	"strings"
	"time"
)

// spec is one key of the file: what it takes and what is in force without it.
type spec struct {
	name string
	form form
	kind kind   // of a scalar, or of the elements of a list
	text string // the default of a scalar, as the file would have it
	list []any  // the default of a list: texts, or rows as map[string]any
	keys []spec // of a section, or of each row of a table
	must bool   // of a key in a row: it can't be left out
	some string // of a list that can't be empty: what is expected in it
}

// form is the shape of a value.
type form int

const (
	scalar  form = iota
	section      // keys with values
	list         // of scalars
	table        // a list of sections
)

// child is the key of that name in a section or row.
func (s spec) child(name string) (spec, bool) {
	for _, key := range s.keys {
		if key.name == name {
			return key, true
		}
	}
	return spec{}, false
}

// find is the spec of a dotted key, without index where it goes through a row.
func (s spec) find(key string) spec {
	for name := range strings.SplitSeq(key, ".") {
		s, _ = s.child(name)
	}
	return s
}

// names are those of the keys of a section or row, in order.
func (s spec) names() []string {
	names := make([]string, len(s.keys))
	for i, key := range s.keys {
		names[i] = key.name
	}
	return names
}

// secretKey is the first key of a section or row that takes a secret, or empty.
func (s spec) secretKey() string {
	for _, key := range s.keys {
		if key.kind.secret {
			return key.name
		}
	}
	return ""
}

// each calls f for every key below a section that is not a section itself, in
// order. What is in a row is left out.
func (s spec) each(f func(key string, at spec)) { s.walk("", f) }

func (s spec) walk(prefix string, f func(string, spec)) {
	for _, key := range s.keys {
		if key.form == section {
			key.walk(prefix+key.name+".", f)
			continue
		}
		f(prefix+key.name, key)
	}
}

func one(name string, k kind, text string) spec {
	return spec{name: name, form: scalar, kind: k, text: text}
}

func many(name string, k kind, texts ...any) spec {
	return spec{name: name, form: list, kind: k, list: append([]any{}, texts...)}
}

func in(name string, keys ...spec) spec {
	return spec{name: name, form: section, keys: keys}
}

func must(s spec) spec {
	s.must = true
	return s
}

// What is expected in the lists that can't be empty.
const (
	someListener = "a listener"
	someOrigins  = `origins of pages; "*" is any`
)

func some(s spec, expected string) spec {
	s.some = expected
	return s
}

// schema is the whole file, with every default, in the order that it is printed.
func schema() spec {
	return in("",
		one("domain", domainName(), ""),
		one("state_dir", required(filePath()), "state"),
		publicSchema(),
		in("turn",
			one("realm", realmName(), ""),
			listenSchema(),
			in("stun_alternate",
				one("listen", optional(listenAddress()), ""),
				one("public", optional(remoteAddress()), "")),
			in("relay",
				one("ports", relayPorts(), "50000-50999"),
				one("address", relayAddress(), ""),
				one("datapath", oneOf("auto", "xdp", "batch", "plain"), "auto"),
				many("interfaces", interfaceName()),
				one("pin", trueFalse(), "false")),
			usersSchema(),
			one("secret", hidden(16), ""),
			one("secret_file", filePath(), ""),
			one("credential_ttl", span(time.Second, MaxCredentialTTL), "12h"),
			one("drain", span(0, time.Hour), "30s"),
			in("peers", many("allow", network()), many("deny", network())),
			limitsSchema()),
		signalingSchema(),
		in("tls",
			one("source", oneOf("auto", "files", "acme", "self-signed", "off"), "auto"),
			one("cert", filePath(), ""),
			one("key", filePath(), ""),
			in("acme",
				one("email", anyText(254), ""),
				one("directory", anyText(1024), ""),
				one("challenge", anyText(64), ""),
				one("dns_exec", anyText(4096), ""))),
		in("admin", one("listen", optional(localAddress()), "127.0.0.1:9640")),
		in("log",
			one("level", oneOf("debug", "info", "warn", "error"), "info"),
			one("format", oneOf("auto", "text", "json"), "auto")))
}

func publicSchema() spec {
	return in("public",
		one("source", oneOf("auto", "static", "interface", "dns", "stun"), "auto"),
		one("ipv4", publicAddress(4, "a public IPv4 address"), ""),
		one("ipv6", publicAddress(6, "a public IPv6 address"), ""),
		one("dns", optional(domainName()), ""),
		many("stun", remoteAddress()),
		one("interval", span(time.Second, 24*time.Hour), "30s"),
		one("turn_port", whole(0, 65535), "0"),
		one("url", optional(publicURL()), ""))
}

func listenSchema() spec {
	return spec{name: "listen", form: table, some: someListener,
		keys: []spec{
			must(one("network", oneOf("udp", "tcp", "tls"), "")),
			must(one("address", listenAddress(), "")),
		},
		list: []any{
			map[string]any{"network": "udp", "address": ":3478"},
			map[string]any{"network": "tcp", "address": ":3478"},
		}}
}

func usersSchema() spec {
	return spec{name: "users", form: table,
		keys: []spec{
			must(one("name", userName(), "")),
			one("password", hidden(0), ""),
			one("password_file", filePath(), ""),
			one("key", hexKey(), ""),
		},
		list: []any{map[string]any{"name": "admin", "password": ""}}}
}

func limitsSchema() spec {
	const most = 1_000_000
	return in("limits",
		one("allocations", whole(1, most), "1000"),
		one("allocations_per_user", whole(1, most), "200"),
		one("permissions", whole(1, 65536), "64"),
		one("channels", whole(1, 4096), "64"), // 0x4000-0x4FFF, RFC 8656 12
		one("connections", whole(1, most), "1000"),
		one("connections_per_address", whole(1, most), "64"),
		one("bandwidth_per_user", whole(0, 1_000_000_000_000), "0"),
		rateSchema("unauthenticated", "20", "100"))
}

func signalingSchema() spec {
	const most = 1_000_000
	return in("signaling",
		one("listen", listenAddress(), ":3002"),
		some(many("origins", originURL(), "*"), someOrigins),
		one("access", oneOf("invite", "open"), "invite"),
		one("guest_turn", trueFalse(), "false"),
		one("seed_room", trueFalse(), "true"),
		one("max_message", whole(1024, 16<<20), "65536"),
		one("max_peers", whole(2, 1000), "16"),
		one("max_connections", whole(1, most), "10000"),
		one("connections_per_address", whole(1, most), "64"),
		rateSchema("messages", "50", "200"),
		one("resume", span(0, time.Hour), "30s"),
		many("trusted_proxies", network()))
}

func rateSchema(name, rate, burst string) spec {
	return in(name,
		one("rate", perSecond(1_000_000), rate),
		one("burst", whole(1, 1_000_000), burst))
}

package config

import (
	"fmt"
	"slices"
	"strings"
)

// judge looks at what single values can't show: whether they fit together.
func (r *report) judge(c *Config) {
	r.judgePublic(c)
	r.judgeUsers(c)
	r.judgeSecret()
	r.judgeListeners(c)
	r.judgeTLS(c)
	if r.sound("signaling.origins") && len(c.Signaling.Origins) == 0 {
		r.fail("signaling.origins", "an empty list is there, expected "+someOrigins)
	}
	r.judgeAvailable(c)
}

func (r *report) judgePublic(c *Config) {
	if !r.sound("public") || c.Public.Source != "static" {
		return
	}
	if !c.Public.IPv4.IsValid() && !c.Public.IPv6.IsValid() {
		r.fail("public.source", "static is there without an address, expected public.ipv4 or public.ipv6 beside it")
	}
}

// judgeUsers wants names to differ, and one kind of password a user.
func (r *report) judgeUsers(c *Config) {
	first := map[string]int{}
	for i, user := range c.TURN.Users {
		row := fmt.Sprintf("turn.users[%d]", i)
		if name := row + ".name"; r.sound(name) && user.Name != "" {
			if j, twice := first[user.Name]; twice {
				r.fail(name, "%s is there, but turn.users[%d] has that name, expected another", quote(user.Name), j)
			} else {
				first[user.Name] = i
			}
		}
		if given := r.given(row, "password", "password_file", "key"); len(given) > 1 {
			r.fail(row, "%s are there, expected one of them", strings.Join(given, " and "))
		}
	}
}

// given are those of the keys that stand in the file or environment and hold
// something.
func (r *report) given(prefix string, names ...string) []string {
	var found []string
	for _, name := range names {
		if r.filled[join(prefix, name)] {
			found = append(found, name)
		}
	}
	return found
}

func (r *report) judgeSecret() {
	if given := r.given("turn", "secret", "secret_file"); len(given) > 1 {
		r.fail("turn.secret_file", "turn.secret is there too, expected one of them")
	}
}

// socket is one listener of the whole configuration.
type socket struct {
	key      string
	protocol string // udp or tcp
	endpoint
}

// sockets are all listeners whose address is sound.
func (r *report) sockets(c *Config) []socket {
	var all []socket
	add := func(key, protocol, address string) {
		if e, f := parseEndpoint(address); f == nil && r.sound(key) {
			all = append(all, socket{key, protocol, e})
		}
	}
	for i, l := range c.TURN.Listen {
		protocol := "tcp"
		if l.Network == "udp" {
			protocol = "udp"
		}
		if r.sound(rowKey("turn.listen", i, "network")) {
			add(rowKey("turn.listen", i, "address"), protocol, l.Address)
		}
	}
	add("turn.stun_alternate.listen", "udp", c.TURN.StunAlternate.Listen)
	add("signaling.listen", "tcp", c.Signaling.Listen)
	add("admin.listen", "tcp", c.Admin.Listen)
	return all
}

func (r *report) judgeListeners(c *Config) {
	if r.sound("turn.listen") && len(c.TURN.Listen) == 0 {
		r.fail("turn.listen", "an empty list is there, expected "+someListener)
	}
	all := r.sockets(c)
	for i, s := range all {
		j := slices.IndexFunc(all[:i], func(o socket) bool {
			return s.protocol == o.protocol && s.overlaps(o.endpoint)
		})
		if j >= 0 {
			r.clash(all[j], s)
		}
		if strings.HasPrefix(s.key, "turn.") {
			r.judgeRelay(c, s)
		}
	}
}

// clash reports two listeners on one address, at the later line.
func (r *report) clash(a, b socket) {
	if before(r.set(b.key), r.set(a.key)) {
		a, b = b, a
	}
	r.fail(b.key, "%s port %d is there, but %s has it%s, expected another port or address",
		b.protocol, b.port, a.key, r.where(a.key))
}

// judgeRelay keeps listeners out of the relay range.
func (r *report) judgeRelay(c *Config, s socket) {
	const key = "turn.relay.ports"
	if !r.sound(key) || !c.TURN.Relay.Ports.Contains(s.port) {
		return
	}
	if before(r.set(s.key), r.set(key)) {
		r.fail(key, "%s is there, but %s listens on port %d%s, expected a range without it",
			c.TURN.Relay.Ports, s.key, s.port, r.where(s.key))
		return
	}
	r.fail(s.key, "port %d is there, which turn.relay.ports %s has%s, expected one outside it",
		s.port, c.TURN.Relay.Ports, r.where(key))
}

// before says whether a is the one that stands: a default before a line, an
// earlier line before a later one, the file before the environment.
func before(a, b origin) bool {
	if a.env != "" || b.env != "" {
		return a.env < b.env
	}
	return a.line < b.line
}

// where says in a few words where a key was set.
func (r *report) where(key string) string {
	switch at := r.set(key); {
	case at.env != "":
		return " (" + at.env + ")"
	case at.line > 0:
		return fmt.Sprintf(" (line %d)", at.line)
	}
	return " (by default)"
}

func (r *report) judgeTLS(c *Config) {
	for i, l := range c.TURN.Listen {
		if key := rowKey("turn.listen", i, "network"); l.Network == "tls" && c.TLS.Source == "off" && r.sound(key) {
			r.fail(key, "tls is there, but tls.source is off%s, expected another network or a certificate", r.where("tls.source"))
		}
	}
	if !r.sound("tls") || c.TLS.Source != "files" {
		return
	}
	want := func(key, path, other string) {
		if path == "" {
			r.fail(key, "nothing is there, expected a PEM file beside that of %s", other)
		}
	}
	want("tls.cert", c.TLS.Cert, "tls.key")
	want("tls.key", c.TLS.Key, "tls.cert")
}

package config

import (
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"icebox/internal/hostnet"
)

// advise warns of what works and is better changed.
func (r *report) advise(c *Config) {
	r.adviseUsers(c)
	r.adviseDomain(c)
	r.advisePublic(c)
	r.adviseExposure(c)
	r.adviseFiles(c)
}

// adviseUsers warns of passwords that are guessed first.
func (r *report) adviseUsers(c *Config) {
	for i, user := range c.TURN.Users {
		if user.Key != "" && !r.filled["turn.realm"] {
			r.warn(rowKey("turn.users", i, "key"), "the key is good for realm %s only: set turn.realm, so that it stays that", quote(c.TURN.Realm))
		}
		if user.Password == "" {
			continue
		}
		key := rowKey("turn.users", i, "password")
		if user.PasswordFile != "" {
			key = rowKey("turn.users", i, "password_file")
		}
		if curled(user.Password) {
			r.warn(key, "the quotes of the password of %s are a part of it, as YAML knows \" and ' alone; did you mean these?", quote(user.Name))
		}
		if why := guessable(user.Name, user.Password); why != "" {
			r.warn(key, "the password of %s %s: whoever guesses it can relay through this box; choose another, or \"\" to have one made", quote(user.Name), why)
		}
	}
}

// curled says whether a text stands in quotes as a word processor or a Chinese keyboard
// makes them.
func curled(text string) bool {
	const quotes = "“”‘’"
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	return strings.ContainsRune(quotes, first) && strings.ContainsRune(quotes, last)
}

// guessable says why a password is a bad one, or nothing.
func guessable(name, password string) string {
	const shortest = 8
	low := strings.ToLower(password)
	switch {
	case low == strings.ToLower(name):
		return "is the user's name"
	case slices.Contains(common(), low):
		return "is one of those that everybody tries"
	case len(password) < shortest:
		return fmt.Sprintf("has fewer than %d bytes", shortest)
	case strings.Count(low, low[:1]) == len(low):
		return "is one letter again and again"
	case strings.Contains("01234567890123456789", low) || strings.Contains("98765432109876543210", low):
		return "is a row of digits"
	}
	return ""
}

// common are passwords that lead every published list of stolen ones, and what
// examples on the net are fond of.
func common() []string {
	return strings.Fields(`123456 12345678 123456789 1234567890 123123 1234qwer 1q2w3e4r 1qaz2wsx
		abc12345 abcd1234 admin admin123 admin1234 administrator baseball changeme
		computer default football iloveyou icebox letmein monkey p@ssw0rd passw0rd
		password password1 password12 password123 princess qwer1234 qwerty qwerty123
		qwertyuiop root secret sunshine superman test1234 testtest trustno1 turnserver
		user1234 username welcome welcome1 whatever zaq12wsx`)
}

// adviseDomain warns of a name that the internet can't know.
func (r *report) adviseDomain(c *Config) {
	if name, err := asciiName(c.Domain); err == nil && name != "" && homeName(name) {
		r.warn("domain", "the internet can't know %s: callers outside won't find the box; take a name of a DDNS service, or one of your own", quote(c.Domain))
	}
}

// homeName says whether a name means something in a network of its own only: RFC
// 6762, RFC 8375, what routers give their networks, and names of one label.
func homeName(name string) bool {
	name = strings.ToLower(name)
	if !strings.Contains(name, ".") {
		return true
	}
	return slices.ContainsFunc([]string{".lan", ".local", ".home.arpa", ".internal", ".localdomain", ".home"},
		func(end string) bool { return strings.HasSuffix(name, end) })
}

func (r *report) advisePublic(c *Config) {
	p := c.Public
	if p.Source == "interface" && (p.IPv4.IsValid() || p.IPv6.IsValid()) {
		r.warn("public.source", "interface is there, so public.ipv4 and public.ipv6 are not used")
	}
	if p.Source != "auto" && p.Source != "static" {
		return
	}
	r.adviseAddress("public.ipv4", p.IPv4)
	r.adviseAddress("public.ipv6", p.IPv6)
}

func (r *report) adviseAddress(key string, addr netip.Addr) {
	if addr.IsValid() && !hostnet.OnInternet(addr) {
		r.warn(key, "the internet can't reach %s: relayed calls then stay on this side of the router", addr)
	}
}

// adviseExposure warns of doors that stand open to the internet.
func (r *report) adviseExposure(c *Config) {
	open := c.Signaling.Access == "open"
	if c.Signaling.GuestTURN && open {
		r.warn("signaling.guest_turn", "anybody on the internet can relay through this box")
	}
	if c.Signaling.GuestTURN && !open {
		r.warn("signaling.guest_turn", "true does nothing unless signaling.access is open")
	}
	if e, f := parseEndpoint(c.Admin.Listen); f == nil && !e.addr.IsLoopback() {
		r.warn("admin.listen", "metrics and status can be read from other machines; 127.0.0.1 keeps them here")
	}
	if c.TLS.Source == "off" {
		r.warn("tls.source", "off is there: browsers give pages camera and microphone over https only, so something else must do the TLS")
	}
	for i, prefix := range c.Signaling.TrustedProxies {
		if prefix.Bits() == 0 {
			r.warn(fmt.Sprintf("signaling.trusted_proxies[%d]", i), "%s is everybody: whoever connects can then claim any address", prefix)
		}
	}
	for i, prefix := range c.TURN.Peers.Allow {
		if neverPeer(prefix) {
			r.warn(fmt.Sprintf("turn.peers.allow[%d]", i), "%s stays denied: loopback, link-local, multicast and unspecified addresses never open", prefix)
		}
	}
}

// neverPeer says whether a range lies in one that turn.peers.allow can't open.
func neverPeer(p netip.Prefix) bool {
	for _, text := range []string{"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32",
		"::/128", "::1/128", "fe80::/10", "ff00::/8"} {
		never := netip.MustParsePrefix(text)
		if never.Bits() <= p.Bits() && never.Contains(p.Addr()) {
			return true
		}
	}
	return false
}

// adviseFiles warns of files that others can read, or that are not there.
func (r *report) adviseFiles(c *Config) {
	if c.TLS.Source != "files" && (c.TLS.Cert != "" || c.TLS.Key != "") {
		r.warn("tls.source", "%s is there, so tls.cert and tls.key are not used", c.TLS.Source)
	}
	if runtime.GOOS == "windows" { // permissions are kept elsewhere there
		return
	}
	if key := r.firstSecret(c); key != "" && othersCan(c.Path, 0o044) {
		r.warn(key, "others on this machine can read the secrets in this file: chmod 600 %s", c.Path)
	}
	if othersCan(c.StateDir, 0o022) {
		r.warn("state_dir", "others on this machine can change what is in it: chmod 700 %s", c.StateDir)
	}
	for _, name := range c.stateNames() {
		if path := filepath.Join(c.StateDir, name); othersCan(path, 0o044) {
			r.warn("state_dir", "others on this machine can read a secret: chmod 600 %s", path)
		}
	}
}

// firstSecret is the first key whose value is a secret that stands in the file.
func (r *report) firstSecret(c *Config) string {
	keys := []string{"turn.secret"}
	for i := range c.TURN.Users {
		keys = append(keys, rowKey("turn.users", i, "password"), rowKey("turn.users", i, "key"))
	}
	for _, key := range keys {
		if r.filled[key] && r.origins[key].line > 0 {
			return key
		}
	}
	return ""
}

// othersCan says whether group or others have one of the rights.
func othersCan(path string, rights fs.FileMode) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&rights != 0
}

package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Host is Domain as DNS, URLs and certificates have it: ASCII, lower case, each
// label that needs it as xn-- (the Lookup profile of IDNA). Empty: no domain.
func (c *Config) Host() string {
	host, err := asciiName(c.Domain)
	if err != nil {
		return "" // Load lets no such Domain pass
	}
	return host
}

// asciiName is a name in ASCII, or why it is none.
func asciiName(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	host, err := idna.Lookup.ToASCII(name)
	if err != nil {
		return "", err
	}
	if len(host) > 253 {
		return "", fmt.Errorf("longer than 253 bytes")
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 {
			return "", fmt.Errorf("a part that is empty or longer than 63 bytes")
		}
	}
	return host, nil
}

// domainName is the kind of a public name, Unicode or xn--.
func domainName() kind {
	k := kind{want: "a name such as home.example"}
	k.check = func(text string) *flaw {
		if text == "" {
			return nil
		}
		if f := notAName(text); f != nil {
			return f
		}
		host, err := asciiName(text)
		if err != nil {
			return &flaw{why: "not a name of the DNS"}
		}
		if digits(host[strings.LastIndexByte(host, '.')+1:]) {
			return &flaw{why: "which ends in a number"}
		}
		return nil
	}
	return k
}

// notAName knows what people write in place of a name.
func notAName(text string) *flaw {
	if _, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return &flaw{why: "an address (those belong in public.ipv4 and public.ipv6)"}
	}
	if u, err := url.Parse(text); err == nil && u.Scheme != "" && u.Hostname() != "" {
		return &flaw{why: "a URL", mean: u.Hostname()}
	}
	if host, port, found := strings.Cut(text, ":"); found && digits(port) {
		return &flaw{why: "with a port", mean: host}
	}
	if host, _, found := strings.Cut(text, "/"); found && host != "" {
		return &flaw{why: "with a path", mean: host}
	}
	if host, dot := strings.CutSuffix(text, "."); dot {
		return &flaw{why: "with a dot at its end", mean: host}
	}
	if host, star := strings.CutPrefix(text, "*."); star {
		return &flaw{why: "a wildcard", mean: host}
	}
	return nil
}

// userName is the kind of a static user's name. RFC 8489 14.3 has it shorter
// than 509 bytes. HTTP basic authentication ends it at a colon (RFC 7617 2), and
// digits alone are what a time-limited credential is called.
func userName() kind {
	k := kind{want: "a name of 1 to 508 bytes without a colon and not of digits alone"}
	k.check = func(text string) *flaw {
		switch {
		case text == "" || len(text) > 508:
			return &flaw{}
		case strings.Contains(text, ":"):
			return &flaw{why: "with a colon"}
		case digits(text):
			return &flaw{why: "which is how time-limited credentials look"}
		case strings.TrimSpace(text) != text:
			return &flaw{why: "with a space at an end", mean: strings.TrimSpace(text)}
		}
		return nil
	}
	return k
}

// realmName is the kind of turn.realm: a quoted-string without its quotes, of
// fewer than 128 characters (RFC 8489 14.9).
func realmName() kind {
	k := kind{want: "at most 127 characters, no quotes and no backslash"}
	k.check = func(text string) *flaw {
		switch {
		case utf8.RuneCountInString(text) > 127:
			return &flaw{why: "too long"}
		case strings.ContainsAny(text, `"\`):
			return &flaw{why: `with " or \ in it`}
		case strings.TrimSpace(text) != text:
			return &flaw{why: "with a space at an end", mean: strings.TrimSpace(text)}
		}
		return nil
	}
	return k
}

// hexKey is the kind of a user's key: an MD5 in hex digits (RFC 8489 9.2.2).
func hexKey() kind {
	k := kind{want: "32 hex digits, the MD5 of name:realm:password", secret: true}
	k.check = func(text string) *flaw {
		if text != "" && (len(text) != 32 || strings.Trim(text, "0123456789abcdefABCDEF") != "") {
			return &flaw{why: fmt.Sprintf("%d bytes long", len(text))}
		}
		return nil
	}
	return k
}

// interfaceName is the kind of a network interface: at most 15 bytes on Linux.
func interfaceName() kind {
	k := kind{want: "the name of a network interface, such as eth0"}
	k.check = func(text string) *flaw {
		if text == "" || len(text) > 15 || strings.ContainsAny(text, "/ \t") {
			return &flaw{}
		}
		return nil
	}
	return k
}

package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/idna"
)

// TestTextAsWritten holds that YAML never reads a number, a truth value or a date
// into a text.
func TestTextAsWritten(t *testing.T) {
	house(t)
	for _, text := range []string{"007123", "1e3", "0x10", "yes", "no", "on", "true", "null", "~", "1_000", "2001-01-01",
		"0o17", ".5", "1.10", "12:30:45", "-1", "+1", ".inf", "!!!!", `"007"`, "'it''s'", "a  b", "a#b"} {
		written, quoted := text, strings.HasPrefix(text, "!")
		if quoted {
			written = `"` + text + `"`
		}
		c, _ := loadText(t, "turn: {users: [{name: ann, password: "+written+"}]}")
		want := strings.ReplaceAll(strings.Trim(text, `"'`), "''", "'")
		if got := c.TURN.Users[0].Password; got != want {
			t.Errorf("password: %s is %q, want %q", text, got, want)
		}
	}
}

func TestGoodFiles(t *testing.T) {
	dir := house(t)
	write(t, "sekret", "correct horse battery staple\r\n")
	for _, test := range []struct {
		name, file string
		change     func(*Config)
	}{
		{"sections without keys", "turn:\npublic:\nlog: ~\n", func(*Config) {}},
		{"empty section", "{}", func(*Config) {}},
		{"values", `
domain: Home.Example
state_dir: ../var/state
public: {ipv4: 203.0.113.7, ipv6: "2001:db8::7", interval: 1m30s, turn_port: 13478, url: "https://home.example:8443/call"}
log: {level: debug, format: json}
`, func(c *Config) {
			c.Domain, c.TURN.Realm = "Home.Example", "Home.Example"
			c.StateDir = filepath.Join(filepath.Dir(dir), "var", "state")
			c.Public.IPv4, c.Public.IPv6 = netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("2001:db8::7")
			c.Public.Interval, c.Public.TURNPort, c.Public.URL = 90*time.Second, 13478, "https://home.example:8443/call"
			c.Log = Log{"debug", "json"}
		}},
		{"turn", `
turn:
  realm: icebox.example
  listen:
    - {network: udp, address: "127.0.0.1:0"}
    - {address: "127.0.0.1:0", network: udp}
    - {network: tcp, address: "[::1]:3478"}
    - {network: tcp, address: "localhost:3478"}
  relay: {ports: 60000-60000, address: 192.0.2.1, datapath: batch, pin: true}
  users:
    - {name: Ann, password: correct horse battery staple}
    - {name: ann, password_file: sekret}
    - {name: "../灯", key: 00112233445566778899aabbccddeeFF}
  secret_file: sekret
  credential_ttl: 90s
  drain: 0
  peers: {allow: [192.168.1.20/32], deny: ["2001:db8::/32", 0.0.0.0/0]}
  limits:
    bandwidth_per_user: 2500000
    unauthenticated: {rate: 0.5}
`, func(c *Config) {
			c.TURN.Realm = "icebox.example"
			c.TURN.Listen = []Listener{{"udp", "127.0.0.1:0"}, {"udp", "127.0.0.1:0"}, {"tcp", "[::1]:3478"}, {"tcp", "localhost:3478"}}
			c.TURN.Relay.Ports, c.TURN.Relay.Address, c.TURN.Relay.DataPath = PortRange{60000, 60000}, netip.MustParseAddr("192.0.2.1"), "batch"
			c.TURN.Relay.Pin = true
			c.TURN.Users = []User{
				{Name: "Ann", Password: "correct horse battery staple"},
				{Name: "ann", Password: "correct horse battery staple", PasswordFile: filepath.Join(dir, "sekret")},
				{Name: "../灯", Key: "00112233445566778899aabbccddeeFF"},
			}
			c.TURN.Secret, c.TURN.SecretFile = "correct horse battery staple", filepath.Join(dir, "sekret")
			c.TURN.CredentialTTL, c.TURN.Drain = 90*time.Second, 0
			c.TURN.Peers.Allow = []netip.Prefix{netip.MustParsePrefix("192.168.1.20/32")}
			c.TURN.Peers.Deny = []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("0.0.0.0/0")}
			c.TURN.Limits.BandwidthPerUser, c.TURN.Limits.Unauthenticated.Rate = 2_500_000, 0.5
		}},
		{"lists replace", "turn: {users: []}\nsignaling: {origins: [\"https://Bücher.example:443\", \"http://[::1]:8080\", \"*\"]}", func(c *Config) {
			c.TURN.Users = []User{}
			c.Signaling.Origins = []string{"https://xn--bcher-kva.example", "http://[::1]:8080", "*"}
		}},
		{"files", "tls: {cert: c.pem, key: /k.pem}\nadmin: {listen: \"\"}", func(c *Config) {
			c.TLS = TLS{Source: "files", Cert: filepath.Join(dir, "c.pem"), Key: absolute("", "/k.pem")}
			c.Admin.Listen = ""
		}},
		{"aliases", "signaling: {messages: &rate {rate: 5, burst: 7}}\nturn: {limits: {unauthenticated: *rate}}", func(c *Config) {
			c.Signaling.Messages, c.TURN.Limits.Unauthenticated = Rate{5, 7}, Rate{5, 7}
		}},
		{"a byte order mark, CRLF", "\ufeff# hello\r\ndomain: home.example\r\nlog:\r\n  level: warn\r\n", func(c *Config) {
			c.Domain, c.TURN.Realm, c.Log.Level = "home.example", "home.example", "warn"
		}},
		{"not yet at its default", "public: {dns: \"\", stun: []}\nturn: {relay: {interfaces: []}}", func(*Config) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, warnings := loadText(t, test.file)
			if len(warnings) > 0 {
				t.Errorf("warnings: %v", warnings)
			}
			want := Default()
			want.Path = filepath.Join(dir, "config.yaml")
			test.change(want)
			equal(t, got, want)
		})
	}
}

// equal compares what other packages see of two configurations.
func equal(t testing.TB, got, want *Config) {
	t.Helper()
	g, w := reflect.ValueOf(*got), reflect.ValueOf(*want)
	for i := range g.NumField() {
		field := g.Type().Field(i)
		if field.IsExported() && !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Errorf("%s is\n%+v, want\n%+v", field.Name, g.Field(i), w.Field(i))
		}
	}
}

func TestDefaults(t *testing.T) {
	dir := house(t)
	c, warnings, err := Load("")
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	equal(t, c, Default())
	if c.Path != "" || c.TURN.Realm != "icebox" || c.TLS.Source != "self-signed" || c.StateDir != filepath.Join(dir, "state") {
		t.Errorf("got %+v", c)
	}
	if want := []User{{Name: "admin"}}; !reflect.DeepEqual(c.TURN.Users, want) {
		t.Errorf("users %v, want %v", c.TURN.Users, want)
	}
	if want := []Listener{{"udp", ":3478"}, {"tcp", ":3478"}}; !reflect.DeepEqual(c.TURN.Listen, want) {
		t.Errorf("listen %v, want %v", c.TURN.Listen, want)
	}
	if want := (PortRange{50000, 50999}); c.TURN.Relay.Ports != want {
		t.Errorf("ports %v, want %v", c.TURN.Relay.Ports, want)
	}
}

func TestEmptyFileIsDefaults(t *testing.T) {
	house(t)
	for _, text := range []string{"", "# domain: home.example\n", "---\n", "\n\n"} {
		c, warnings := loadText(t, text)
		if want := "config.yaml: nothing is there, so the built-in defaults are in force"; warningTexts(warnings) != want {
			t.Errorf("%q: warnings %s, want %s", text, warningTexts(warnings), want)
		}
		want := Default()
		want.Path = c.Path
		equal(t, c, want)
	}
}

// TestPaths holds that relative paths begin at the file, not where icebox runs.
func TestPaths(t *testing.T) {
	dir := house(t)
	if err := os.MkdirAll("etc/icebox", 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, "etc/icebox/config.yaml", "tls: {cert: a.pem, key: ../b.pem}")
	c, _, err := Load("etc/icebox/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		c.Path:     filepath.Join(dir, "etc/icebox/config.yaml"),
		c.StateDir: filepath.Join(dir, "etc/icebox/state"),
		c.TLS.Cert: filepath.Join(dir, "etc/icebox/a.pem"),
		c.TLS.Key:  filepath.Join(dir, "etc/b.pem"),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestFind(t *testing.T) {
	house(t)
	if got := Find(); got != "" && got != "/etc/icebox/config.yaml" {
		t.Errorf("found %q in an empty directory", got)
	}
	write(t, "config.yaml", "")
	if got := Find(); got != "config.yaml" {
		t.Errorf("found %q", got)
	}
}

func TestHost(t *testing.T) {
	for domain, want := range map[string]string{
		"":                               "",
		"Home.Example":                   "home.example",
		"xn--e6q212bhn0c.xn--6qq986b3xl": "xn--e6q212bhn0c.xn--6qq986b3xl",
		unicodeOf(t, "xn--e6q212bhn0c.xn--6qq986b3xl"): "xn--e6q212bhn0c.xn--6qq986b3xl",
		"bücher.example": "xn--bcher-kva.example",
		"灯。example":      "xn--znx.example",
		"homebox":        "homebox",
		"a_b.example":    "",
	} {
		if got := (&Config{Domain: domain}).Host(); got != want {
			t.Errorf("%q: %q, want %q", domain, got, want)
		}
	}
}

func TestDomainBothForms(t *testing.T) {
	house(t)
	for _, domain := range []string{"xn--e6q212bhn0c.xn--6qq986b3xl", unicodeOf(t, "xn--e6q212bhn0c.xn--6qq986b3xl")} {
		c, warnings := loadText(t, "domain: "+domain)
		if c.Domain != domain || c.TURN.Realm != domain || c.Host() != "xn--e6q212bhn0c.xn--6qq986b3xl" || len(warnings) > 0 {
			t.Errorf("%s: domain %s, realm %s, host %s, warnings %v", domain, c.Domain, c.TURN.Realm, c.Host(), warnings)
		}
	}
}

// unicodeOf is the Unicode form of a name.
func unicodeOf(t testing.TB, name string) string {
	t.Helper()
	text, err := idna.ToUnicode(name)
	if err != nil || text == name {
		t.Fatal(text, err)
	}
	return text
}

func TestSentOrigin(t *testing.T) {
	for text, want := range map[string]string{
		"*":                          "*",
		"https://home.example":       "https://home.example",
		"HTTPS://Home.Example":       "https://home.example",
		"https://home.example:443":   "https://home.example",
		"http://home.example:80":     "http://home.example",
		"http://home.example:443":    "http://home.example:443",
		"https://home.example:3002":  "https://home.example:3002",
		"https://例子.中国":              "https://xn--fsqu00a.xn--fiqs8s",
		"https://例子.中国:443":          "https://xn--fsqu00a.xn--fiqs8s",
		"https://192.0.2.1:3002":     "https://192.0.2.1:3002",
		"https://[2001:DB8:0::1]":    "https://[2001:db8::1]",
		"https://[2001:db8::1]:3002": "https://[2001:db8::1]:3002",
	} {
		if got := sentOrigin(text); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
		if f := originURL().check(text); f != nil {
			t.Errorf("%s is refused: %+v", text, f)
		}
	}
}

// TestAnchorsAndComments holds that what YAML has for its own use stays free
// where no secret can be lost to it.
func TestAnchorsAndComments(t *testing.T) {
	house(t)
	c, warnings := loadText(t, `domain: &home home.example
turn:
  realm: *home
  secret: # made by the box
  users:
    - name: ann
      password: "" #made by the box
    - name: bob
      password:
`)
	if len(warnings) > 0 || c.TURN.Realm != "home.example" || c.TURN.Secret != "" || c.TURN.Users[0].Password != "" {
		t.Errorf("warnings %v, turn %+v", warnings, c.TURN)
	}
}

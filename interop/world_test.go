package interop

import (
	"os"
	"strings"
	"testing"

	"icebox/internal/boxtest"
	"icebox/natlab"
)

// What every box of these tests has in its config.yaml.
const (
	boxName  = "icebox.test"
	user     = "alice"
	password = "al1ce-has-a-password"
	secret   = "a-secret-that-signs-passwords"
)

func TestMain(m *testing.M) { os.Exit(boxtest.Main(m)) }

// world is a box, clients of it and a peer, each on a host directly on the
// internet, with IPv4 and IPv6.
type world struct {
	box, client, peer *natlab.Host
	authority         *authority // that clients trust
}

// newWorld starts a box with a certificate of the world's authority, which it is
// made to trust as well. Lines of turn are added to its turn section.
func newWorld(t *testing.T, turn ...string) *world {
	t.Helper()
	w := newEmptyWorld(t)
	cert, key := w.authority.issue(t, boxName, w.box.Addr())
	boxtest.Start(t, w.box, w.configuration(turn, "tls: {source: files, cert: "+cert+", key: "+key+"}"),
		"SSL_CERT_FILE="+w.authority.file)
	return w
}

// newEmptyWorld starts no box.
func newEmptyWorld(t *testing.T) *world {
	t.Helper()
	lab := natlab.New(t)
	return &world{
		box:       lab.Host("box", "198.51.100.10", "2001:db8:1::10"),
		client:    lab.Host("client", "198.51.100.20", "2001:db8:3::20"),
		peer:      lab.Host("peer", "203.0.113.1", "2001:db8:2::1"),
		authority: newAuthority(t),
	}
}

// configuration allows the peer, whose addresses are of the documentation ranges
// that the peer policy denies by default.
func (w *world) configuration(turn []string, more ...string) string {
	lines := []string{
		"domain: " + boxName,
		"public: {source: static, ipv4: " + w.box.Addr().String() + `, ipv6: "` + w.box.Addr6().String() + `"}`,
		"log: {level: debug, format: text}",
	}
	lines = append(lines, more...)
	lines = append(lines, "turn:",
		"  users: [{name: "+user+", password: "+password+"}]",
		"  secret: "+secret,
		`  peers: {allow: [203.0.113.0/24, "2001:db8:2::/48"]}`)
	for _, line := range turn {
		lines = append(lines, "  "+line)
	}
	return strings.Join(lines, "\n") + "\n"
}

//go:build linux

package conformance

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"icebox/natlab"
)

// What every box of these tests has in its config.yaml.
const (
	realm  = "conformance.example"
	secret = "a secret of time-limited users"
)

var (
	alice = user{"alice", "al1ce-has-a-password"}
	bob   = user{"bob", "b0b-has-another-one"}
)

// setup is what tests vary of a box's configuration. Boxes on one host have
// different indexes, which move their ports apart.
type setup struct {
	index   int
	public  string   // public IPv4 address; empty: the host's own
	public6 string   // public IPv6 address; empty: the host's own
	ipv4    bool     // no public IPv6 address
	follow  bool     // the public address is that of the interface, looked at every second
	allow   []string // turn.peers.allow
	deny    []string // turn.peers.deny
	relay   string   // turn.relay.ports; empty: 50000-54999
	drain   string   // turn.drain; empty: 30s
	limits  string   // turn.limits, as YAML flow entries; empty: too high to matter
}

// high are limits that no row reaches.
const high = `allocations: 5000, allocations_per_user: 5000, connections: 5000, connections_per_address: 5000,
    unauthenticated: {rate: 100000, burst: 100000}`

// box is a running process of the binary under test.
type box struct {
	host    *natlab.Host
	setup   setup
	process *exec.Cmd
	dir     string        // of its configuration, state and log
	ending  bool          // it has been asked to end
	ended   chan struct{} // closed when the process is gone
}

// start runs a box and returns when it answers.
func start(t testing.TB, host *natlab.Host, s setup) *box {
	t.Helper()
	return startUnder(t, host, s)
}

// startUnder is start with a program in front that runs the box: prlimit.
func startUnder(t testing.TB, host *natlab.Host, s setup, before ...string) *box {
	t.Helper()
	b := &box{host: host, setup: s, dir: t.TempDir(), ended: make(chan struct{})}
	b.configure(t)
	b.run(t, append(before, boxBinary(t), "serve", "-c", b.file("config.yaml")))
	b.awaitReady(t)
	return b
}

func (b *box) file(name string) string { return filepath.Join(b.dir, name) }

// configure puts the configuration of b.setup in place, as an editor would.
func (b *box) configure(t testing.TB) {
	t.Helper()
	if err := os.WriteFile(b.file("config.new"), []byte(b.config()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(b.file("config.new"), b.file("config.yaml")); err != nil {
		t.Fatal(err)
	}
}

func (b *box) config() string {
	limits, relay := cmp.Or(b.setup.limits, high), cmp.Or(b.setup.relay, "50000-54999")
	ipv4, ipv6 := cmp.Or(b.setup.public, b.host.Addr().String()), cmp.Or(b.setup.public6, b.host.Addr6().String())
	if b.setup.ipv4 {
		ipv6 = ""
	}
	source := fmt.Sprintf("{source: static, ipv4: %q, ipv6: %q}", ipv4, ipv6)
	if b.setup.follow {
		source = "{source: interface, interval: 1s}"
	}
	return fmt.Sprintf(`state_dir: %s/state
public: %s
turn:
  realm: %s
  secret: %s
  drain: %s
  listen:
    - {network: udp, address: ":%d"}
    - {network: tcp, address: ":%[6]d"}
    - {network: tls, address: ":%[17]d"}
  relay: {ports: %[7]s}
  users:
    - {name: %s, password: %s}
    - {name: %s, password: %s}
  peers: {allow: [%s], deny: [%s]}
  limits: {%s}
signaling: {listen: ":%[15]d"}
tls: {source: self-signed}
admin: {listen: "127.0.0.1:%[16]d"}
log: {level: info, format: json}
`, b.dir, source, realm, secret, cmp.Or(b.setup.drain, "30s"), b.port(), relay,
		alice.name, alice.password, bob.name, bob.password,
		quoted(b.setup.allow), quoted(b.setup.deny), limits, b.signalingPort(), b.adminPort(), b.tlsPort())
}

// quoted is a YAML flow list without its brackets.
func quoted(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return `"` + strings.Join(list, `", "`) + `"`
}

func (b *box) port() int          { return 3478 + b.setup.index }
func (b *box) tlsPort() int       { return 5349 + b.setup.index }
func (b *box) signalingPort() int { return 13002 + b.setup.index }
func (b *box) adminPort() int     { return 9640 + b.setup.index }

// address is where clients of a transport reach the box.
func (b *box) address(tr transport) netip.AddrPort {
	ip := b.host.Addr()
	switch {
	case tr.ipv6:
		ip = b.host.Addr6()
	case b.setup.public != "":
		ip = netip.MustParseAddr(b.setup.public)
	}
	port := b.port()
	switch {
	case tr.shared:
		port = b.signalingPort()
	case tr.sealed:
		port = b.tlsPort()
	}
	return netip.AddrPortFrom(ip, uint16(port))
}

func (b *box) run(t testing.TB, args []string) {
	t.Helper()
	log, err := os.Create(b.file("log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	b.process = b.host.Command(context.Background(), args[0], args[1:]...)
	b.process.Stdout, b.process.Stderr = log, log
	if err := b.process.Start(); err != nil {
		t.Fatalf("start the box: %v", err)
	}
	go func() {
		b.process.Wait()
		close(b.ended)
	}()
	t.Cleanup(func() { b.stop(t) })
}

// stop ends the box as its owner would. A box that had ended before, or that
// does not end, fails the test; its log is shown with any failure.
func (b *box) stop(t testing.TB) {
	if b.ending && !b.running() {
		return
	}
	if !b.running() {
		t.Errorf("the box ended by itself: %v", b.process.ProcessState)
	}
	b.process.Process.Signal(os.Interrupt)
	select {
	case <-b.ended:
	case <-time.After(10 * time.Second):
		t.Error("the box does not end 10 s after SIGINT")
		b.process.Process.Kill()
		<-b.ended
	}
	if t.Failed() {
		t.Logf("the end of the box's log:\n%s", tail(b.log(), 4000))
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

func (b *box) running() bool {
	select {
	case <-b.ended:
		return false
	default:
		return true
	}
}

func (b *box) log() string {
	text, _ := os.ReadFile(b.file("log"))
	return string(text)
}

// awaitReady sends Binding requests until one is answered.
func (b *box) awaitReady(t testing.TB) {
	t.Helper()
	conn, err := b.host.Dial(context.Background(), "udp4", netip.AddrPortFrom(b.host.Addr(), uint16(b.port())).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	buf := make([]byte, 1500)
	for deadline := time.Now().Add(30 * time.Second); b.running() && time.Now().Before(deadline); {
		conn.Write(build(binding, request).raw)
		conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, err := conn.Read(buf); err == nil {
			return
		} else if !isTimeout(err) {
			time.Sleep(50 * time.Millisecond)
		}
	}
	t.Fatalf("the box does not answer; its log:\n%s", tail(b.log(), 4000))
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// buildDir is made and removed by TestMain.
var buildDir string

func TestMain(m *testing.M) {
	var err error
	if buildDir, err = os.MkdirTemp("", "conformance"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(buildDir)
	os.Exit(code)
}

// built compiles the box once for all tests.
var built = sync.OnceValues(func() (string, error) {
	out := filepath.Join(buildDir, "icebox")
	if text, err := exec.Command("go", "build", "-o", out, "icebox/cmd/icebox").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the box: %w\n%s", err, text)
	}
	return out, nil
})

// boxBinary is the path of the box under test.
func boxBinary(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("CONFORMANCE_BOX"); path != "" {
		return path
	}
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

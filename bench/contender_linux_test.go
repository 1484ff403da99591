package bench

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// Who the load generator is, and which ports every server relays from.
const (
	realm     = "bench.example"
	userName  = "bench"
	password  = "bench-has-a-password"
	relayLow  = 10000
	relayHigh = 60000
)

// contender is one server that is measured.
type contender struct {
	name    string
	version string
	// command gives the program, its arguments and what it wants added to its
	// environment; dir is an empty folder of its own.
	command func(address netip.AddrPort, dir string) (args, env []string, err error)
}

// contenders are icebox and whom it is compared with, built or looked up.
func contenders(tb testing.TB) []contender {
	tb.Helper()
	return []contender{icebox(tb, buildIcebox(tb), variant{name: "icebox"}), coturn(tb), plainPion(tb)}
}

// variant is one way to run icebox.
type variant struct {
	name  string
	relay string // more of turn.relay, as it stands in the file
	peers string // turn.peers.allow
	admin string // admin.listen
}

func buildIcebox(tb testing.TB) (binary string) { return build(tb, "icebox", "icebox/cmd/icebox") }

func icebox(tb testing.TB, binary string, v variant) contender {
	return contender{v.name, "this tree", func(address netip.AddrPort, dir string) ([]string, []string, error) {
		file := filepath.Join(dir, "config.yaml")
		err := os.WriteFile(file, []byte(v.config(address, dir)), 0o600)
		return []string{binary, "serve", "-c", file}, nil, err
	}}
}

// config lifts every limit that stands in the way of one client with ten
// thousand sessions. Everything else is at its default.
func (v variant) config(address netip.AddrPort, dir string) string {
	return fmt.Sprintf(`state_dir: %s/state
public: {source: static, ipv4: %q}
turn:
  realm: %s
  listen:
    - {network: udp, address: %[4]q}
    - {network: tcp, address: %[4]q}
  relay: {ports: %d-%d, address: %[2]q%[7]s}
  users:
    - {name: %[8]s, password: %s}
  peers: {allow: [%s]}
  limits: {allocations: 100000, allocations_per_user: 100000, connections_per_address: 1000, unauthenticated: {rate: 1000000, burst: 1000000}}
signaling: {listen: "127.0.0.1:3002"}
admin: {listen: %q}
log: {level: warn}
`, dir, address.Addr(), realm, address, relayLow, relayHigh, v.relay, userName, password, v.peers, v.admin)
}

// refused is what icebox says against running so, or nothing.
func (v variant) refused(tb testing.TB, binary string) string {
	tb.Helper()
	dir := tb.TempDir()
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, []byte(v.config(netip.MustParseAddrPort("198.51.100.10:3478"), dir)), 0o600); err != nil {
		tb.Fatal(err)
	}
	said, err := exec.Command(binary, "check", "-c", file).CombinedOutput()
	if err == nil {
		return ""
	}
	return fmt.Sprintf("%v: %s", err, said)
}

// relayer is a contender of the relay benchmark.
type relayer struct {
	contender
	drops   bool   // it tells what it drops
	refused string // why it can't run here, or nothing
}

// relayers are those of these names that can run here, in this order. coturn is
// looked for only where it is one of them.
func relayers(tb testing.TB, names []string) (list []relayer) {
	tb.Helper()
	all := append([]relayer{{contender: plainPion(tb)}}, iceboxes(tb)...)
	if slices.Contains(names, "coturn") {
		all = append(all, relayer{contender: coturn(tb)})
	}
	for _, name := range names {
		i := slices.IndexFunc(all, func(r relayer) bool { return r.name == name })
		switch {
		case i < 0:
			tb.Fatalf("no server is called %q, expected some of %s", name, flag.Lookup("servers").DefValue)
		case all[i].refused != "":
			tb.Logf("%s is left out: %s", name, all[i].refused)
		default:
			list = append(list, all[i])
		}
	}
	return list
}

// iceboxes are icebox with each of its data paths.
func iceboxes(tb testing.TB) (list []relayer) {
	tb.Helper()
	binary := buildIcebox(tb)
	for _, path := range [][2]string{
		{"plain", ", datapath: plain"}, {"batch", ", datapath: batch"}, {"batch-pinned", ", datapath: batch, pin: true"},
	} {
		v := variant{name: "icebox-" + path[0], relay: path[1], peers: "192.0.2.0/24", admin: adminAddress}
		list = append(list, relayer{icebox(tb, binary, v), true, v.refused(tb, binary)})
	}
	return list
}

func plainPion(tb testing.TB) contender {
	binary := build(tb, "plainpion", "icebox/bench/plainpion")
	return contender{"pion/turn", moduleVersion("github.com/pion/turn/v3"), func(address netip.AddrPort, _ string) ([]string, []string, error) {
		return []string{binary, "-listen", address.String(), "-realm", realm, "-user", userName, "-password", password,
			"-first", fmt.Sprint(relayLow), "-last", fmt.Sprint(relayHigh)}, nil, nil
	}}
}

// coturn is Debian's, unpacked in dist/coturn, else the one that is installed.
func coturn(tb testing.TB) contender {
	binary, env, err := findCoturn()
	if err != nil {
		tb.Skip("needs coturn: unpack Debian's package in dist/coturn, or install it: " + err.Error())
	}
	version := exec.Command(binary, "--version")
	version.Env = append(os.Environ(), env...)
	said, err := version.CombinedOutput()
	if err != nil {
		tb.Fatalf("%s --version: %v\n%s", binary, err, said)
	}
	return contender{"coturn", strings.TrimSpace(string(said)), func(address netip.AddrPort, dir string) ([]string, []string, error) {
		ip := address.Addr().String()
		return []string{binary, "-n", "--no-cli", "--no-tls", "--no-dtls", "--no-rfc5780",
			"--listening-ip", ip, "--listening-port", fmt.Sprint(address.Port()), "--relay-ip", ip,
			"--min-port", fmt.Sprint(relayLow), "--max-port", fmt.Sprint(relayHigh),
			"--lt-cred-mech", "--realm", realm, "--user", userName + ":" + password,
			"--userdb", filepath.Join(dir, "turndb"), "--pidfile", filepath.Join(dir, "pid"),
			"--no-stdout-log", "--log-file", "/dev/null",
		}, env, nil
	}}
}

// findCoturn gives the program, and the environment that finds its libraries.
func findCoturn() (string, []string, error) {
	unpacked, err := filepath.Abs("../dist/coturn/usr")
	if err != nil {
		return "", nil, err
	}
	binary := filepath.Join(unpacked, "bin", "turnserver")
	if _, err := os.Stat(binary); err == nil {
		libraries, err := filepath.Glob(filepath.Join(unpacked, "lib", "*-linux-gnu*"))
		return binary, []string{"LD_LIBRARY_PATH=" + strings.Join(libraries, ":")}, err
	}
	binary, err = exec.LookPath("turnserver")
	return binary, nil, err
}

// build compiles a program as a release is compiled, but with its symbols, for
// perf. They are not loaded.
func build(tb testing.TB, name, pkg string) string {
	tb.Helper()
	out := filepath.Join(tb.TempDir(), name)
	cmd := exec.Command("go", "build", "-trimpath", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("build %s: %v\n%s", pkg, err, text)
	}
	return out
}

// moduleVersion is the version of a dependency of this test.
func moduleVersion(module string) string {
	if out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", module).Output(); err == nil {
		return strings.TrimSpace(string(out))
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.GoVersion
	}
	return "unknown"
}

package main

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

// TestExitCodes holds every command to the codes and to the split of what is
// said: results on stdout, all else on stderr.
func TestExitCodes(t *testing.T) {
	good := configDir(t, loopbackConfig)
	bad := configDir(t, "turn: {relay: {ports: 5-1}, drian: 3s}\nsignaling: {max_message: big}\n")
	elsewhere := configDir(t, strings.Replace(loopbackConfig, "turn:\n", "turn:\n  relay: {address: 192.0.2.99}\n", 1))
	for _, c := range []struct {
		name   string
		dir    string
		args   []string
		code   int
		stdout string // is in it; empty: nothing is
		stderr string
	}{
		{"help", good, []string{"-h"}, exitOK, "icebox [command]", ""},
		{"help of a command", good, []string{"cred", "--help"}, exitOK, "--ttl", ""},
		{"help command", good, []string{"help"}, exitOK, "icebox [command]", ""},
		{"help command of a command", good, []string{"help", "invite"}, exitOK, "--ttl duration ", ""},
		{"help of no command", good, []string{"help", "bogus"}, exitUsage, "", `unknown command "bogus"`},
		{"help of two commands", good, []string{"help", "cred", "check"}, exitUsage, "", "one command is expected"},
		{"version", good, []string{"version"}, exitOK, "icebox ", ""},
		{"check", good, []string{"check"}, exitOK, "credential_ttl: 12h", ""},
		{"check says where relays are", good, []string{"check"}, exitOK, "# Relays are reached at: IPv4 ", ""},
		{"check says which data path there is", good, []string{"check"}, exitOK, "# The data path here: ", ""},
		{"check, the file named", "", []string{"-c", good + "/config.yaml", "check"}, exitOK, good, ""},
		{"check, the file named after", "", []string{"check", "-c", good + "/config.yaml"}, exitOK, good, ""},
		{"check of a bad file", bad, []string{"check"}, exitFault, "", "config.yaml:1: turn.drian"},
		{"check reports all", bad, []string{"check"}, exitFault, "", "config.yaml:2: signaling.max_message"},
		{"check of relays bound elsewhere", elsewhere, []string{"check"}, exitOK, "address: 192.0.2.99", "warning: turn.relay.address: relays can't be bound to 192.0.2.99"},
		{"serve with relays bound elsewhere", elsewhere, []string{"serve"}, exitFault, "", "public.ipv4"},
		{"check of no file", good, []string{"check", "-c", "nowhere.yaml"}, exitFault, "", "nowhere.yaml"},
		{"serve with a bad file", bad, []string{"serve"}, exitFault, "", "turn.relay.ports"},
		{"serve without a command", bad, nil, exitFault, "", "turn.relay.ports"},
		{"unknown command", good, []string{"sevre"}, exitUsage, "", `unknown command "sevre"`},
		{"unknown flag", good, []string{"check", "--fast"}, exitUsage, "", "unknown flag: --fast"},
		{"arguments too many", good, []string{"check", "it"}, exitUsage, "", "icebox -h"},
		{"cred with two names", good, []string{"cred", "a", "b"}, exitUsage, "", "at most 1"},
		{"cred with a bad time", good, []string{"cred", "--ttl", "soon"}, exitUsage, "", "--ttl"},
		{"cred with no time", good, []string{"cred", "--ttl", "-1h"}, exitUsage, "", "--ttl"},
		{"cred without state", good, []string{"cred"}, exitFault, "", "start icebox once"},
		{"cred of a stranger", good, []string{"cred", "eve"}, exitFault, "", "there are admin"},
		{"invite without a room", good, []string{"invite"}, exitUsage, "", "accepts 1 arg"},
		{"invite into no room", good, []string{"invite", "a b"}, exitUsage, "", "letters, digits"},
		{"cred with a long time", good, []string{"cred", "--ttl", "9000h"}, exitUsage, "", "366 days"},
		{"invite with a long time", good, []string{"invite", "a", "--ttl", "90000h"}, exitUsage, "", "ten years"},
		{"invite with no time", good, []string{"invite", "a", "--ttl", "0s"}, exitUsage, "", "--ttl"},
		{"invite without state", good, []string{"invite", "a"}, exitFault, "", "start icebox once, or the service has another state_dir"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := c.dir
			if dir == "" {
				dir = t.TempDir()
			}
			got := icebox(t, dir, c.args...)
			if got.code != c.code {
				t.Errorf("exit code %d, want %d", got.code, c.code)
			}
			for name, text := range map[string][2]string{"stdout": {got.stdout, c.stdout}, "stderr": {got.stderr, c.stderr}} {
				switch is, want := text[0], text[1]; {
				case want == "" && is != "":
					t.Errorf("%s has %q, want nothing", name, is)
				case !strings.Contains(is, want):
					t.Errorf("%s is %q, want %q in it", name, is, want)
				}
			}
		})
	}
}

func TestHelpIsPlain(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"invite", "-h"}, {"help", "cred"}} {
		got := icebox(t, t.TempDir(), args...)
		if !strings.Contains(got.stdout, "  -h, --help   ") || strings.Contains(got.stdout, "true|false") {
			t.Errorf("%v: %s", args, got.stdout)
		}
	}
}

func TestCheckNamesTheDefaults(t *testing.T) {
	got := icebox(t, t.TempDir(), "check")
	if got.code != exitOK || !strings.Contains(got.stderr, "built-in defaults") || !strings.Contains(got.stdout, "50000-50999") {
		t.Errorf("code %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
	}
}

func TestCheckWarns(t *testing.T) {
	dir := configDir(t, "turn: {users: [{name: admin, password: \"123456\"}]}\n")
	got := icebox(t, dir, "check")
	if got.code != exitOK || !strings.HasPrefix(got.stderr, "warning: config.yaml:1: turn.users[0].password") {
		t.Errorf("code %d, stderr %q, want a warning", got.code, got.stderr)
	}
	if strings.Contains(got.stdout+got.stderr, "123456") {
		t.Error("the password is in the output")
	}
}

// TestCheckReadsTheCertificate: what serve could not start with is no sound
// configuration, and one that browsers refuse is worth a word.
func TestCheckReadsTheCertificate(t *testing.T) {
	dir := configDir(t, loopbackConfig+"tls: {cert: c.pem, key: c.key}\n")
	if got := icebox(t, dir, "check"); got.code != exitFault || !strings.Contains(got.stderr, "tls.cert and tls.key: ") || got.stdout != "" {
		t.Errorf("no files: code %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
	}
	own := configDir(t, loopbackConfig)
	p := serving(t, own)
	p.signal(t, os.Interrupt)
	p.wait(t)
	for from, to := range map[string]string{"self-signed.crt": "c.pem", "self-signed.key": "c.key"} {
		if err := os.Rename(filepath.Join(own, "state", from), filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	if got := icebox(t, dir, "check"); got.code != exitOK || !strings.Contains(got.stdout, "source: files") {
		t.Errorf("with files: code %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
	}
	if entries, err := os.ReadDir(filepath.Join(dir, "state")); err == nil {
		t.Errorf("check has made %v", entries)
	}
}

func TestVersionNamesTheCommit(t *testing.T) {
	var out strings.Builder
	printVersion(&out, &debug.BuildInfo{
		Main: debug.Module{Version: "v1.2.3"},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "abc123"},
			{Key: "vcs.time", Value: "2026-01-02T03:04:05Z"},
			{Key: "vcs.modified", Value: "true"},
		},
	})
	for _, want := range []string{"icebox v1.2.3\n", "commit abc123 of 2026-01-02T03:04:05Z, modified\n", "go1."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q lacks %q", out.String(), want)
		}
	}
}

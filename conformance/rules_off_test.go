//go:build linux

package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// off is a rule of the box and what has to fail without it: rows of
// TestConformance, or other tests by name, here or in package turnserver. why is there in place of both where
// nobody can tell on the wire.
type off struct {
	rule  string
	rows  []int
	tests []string
	clock []string // tests of package turnserver: what only time shows
	why   string
}

const (
	byGuesses    = "TestGuesses/"
	byPermission = "TestQuotas/permissions_and_channels"
	askedTwice   = "the session asks the peer policy again before it changes, and pion/turn is told it as well"
)

// rulesOff are all the rules that the box can be asked to leave out.
var rulesOff = slices.Concat(
	credentialsOff("allocate", "Allocate"),
	credentialsOff("refresh", "Refresh"),
	credentialsOff("create-permission", "CreatePermission"),
	credentialsOff("channel-bind", "ChannelBind"),
	sessionOff("refresh", "Refresh", 25),
	sessionOff("create-permission", "CreatePermission", 27),
	sessionOff("channel-bind", "ChannelBind", 34),
	[]off{
		{rule: "binding: attributes known", rows: []int{2, 8}},
		{rule: "allocate: attributes known", rows: []int{2, 14}},
		{rule: "allocate: 5-tuple free", rows: []int{17}},
		{rule: "allocate: credential in time", rows: []int{10}},
		{rule: "allocate: UDP requested", rows: []int{16}},
		{rule: "allocate: DONT-FRAGMENT", why: "the rule refuses it where the system can't do it, and Linux can"},
		{rule: "allocate: RESERVATION-TOKEN", rows: []int{18, 19}},
		{rule: "allocate: address family", rows: []int{15, 20}},
		{rule: "allocate: EVEN-PORT", rows: []int{18}},
		{rule: "allocate: LIFETIME", rows: []int{22}},
		{rule: "refresh: same family", rows: []int{26}},
		{rule: "refresh: LIFETIME", rows: []int{22, 24}},
		{rule: "create-permission: peers sound", rows: []int{27}},
		{rule: "create-permission: peer family", rows: []int{27}},
		{rule: "create-permission: peers permitted", why: askedTwice},
		{rule: "create-permission: room for them", tests: []string{byPermission}},
		{rule: "channel-bind: number and peer sound", rows: []int{32}},
		{rule: "channel-bind: peer family", rows: []int{34}},
		{rule: "channel-bind: not bound otherwise", rows: []int{33}},
		{rule: "channel-bind: peer permitted", why: askedTwice},
		{rule: "channel-bind: own relay live", tests: []string{"TestOwnAddress"}},
		{rule: "channel-bind: room for it", tests: []string{byPermission}},
		{rule: "magic cookie", rows: []int{5}},
		{rule: "message length", rows: []int{5}},
		{rule: "attributes whole", rows: []int{5}},
		{rule: "lengths of values", rows: []int{16}},
		{rule: "FINGERPRINT right", rows: []int{5}},
		{rule: "nothing after MESSAGE-INTEGRITY", rows: []int{7}},
		{rule: "first of duplicates", rows: []int{7}},
		{rule: "requests alone", rows: []int{4}},
		{rule: "answers to strangers", tests: []string{"TestReflection/one_IPv6_network"}},
		{rule: "answers signed", rows: []int{14}},
		{rule: "FINGERPRINT answered", rows: []int{6}},
		{rule: "nonces of clients", rows: []int{39}},
		{rule: "permissions", rows: []int{24, 29, 30, 31}},
		{rule: "ChannelData whole", rows: []int{36}},
		{rule: "indications sound", rows: []int{2, 30}},
		{rule: "frames of strangers", tests: []string{"TestStrangersFrame"}},
		{rule: "quota of a user", rows: []int{23}},
		{rule: "quota of the box", tests: []string{"TestQuotas/allocations"}},
		{rule: "address asked", tests: []string{"TestSeveralAddresses"}},
		{rule: "draining", tests: []string{"TestDrain/until_the_last_ends"}},
		{rule: "peer policy", rows: []int{28, 34}},
		{rule: "end of a channel", clock: []string{"TestClock"}},
		{rule: "end of a permission: ChannelData", clock: []string{"TestClock"}},
		{rule: "end of a permission: Send", clock: []string{"TestPermissionEnds/Send"}},
		{rule: "end of a permission: Data", clock: []string{"TestPermissionEnds/Data"}},
		{rule: "end of a nonce", clock: []string{"TestClock"}},
		{rule: "end of a token", clock: []string{"TestTokenEnds"}},
		{rule: "end of a session", clock: []string{"TestClock"}},
		{rule: "rest of a number", clock: []string{"TestClock"}},
	},
)

// credentialsOff are the rules that every method but Binding begins with.
func credentialsOff(method, name string) []off {
	return []off{
		{rule: method + ": integrity present", rows: []int{9}},
		{rule: method + ": credentials complete", rows: []int{12}},
		{rule: method + ": nonce fresh", rows: []int{11}},
		{rule: method + ": guesses bounded", tests: []string{byGuesses + name}},
		{rule: method + ": password right", rows: []int{10}},
	}
}

// sessionOff are those that every method of a session has; none is the row
// about a 5-tuple without one.
func sessionOff(method, name string, none int) []off {
	return []off{
		{rule: method + ": same user", rows: []int{13}},
		{rule: method + ": attributes known", tests: []string{"TestConformance/02/udp/" + name}},
		{rule: method + ": allocation there", rows: []int{none}},
	}
}

// failing are the tests that have to fail, by their whole names.
func (o off) failing() []string {
	names := slices.Clone(o.tests)
	for _, n := range o.rows {
		names = append(names, fmt.Sprintf("TestConformance/%02d/udp", n))
	}
	return names
}

// TestRulesOff leaves out one rule after the other and wants the rows that are
// about it to fail: all of them, and with every rule in force none.
func TestRulesOff(t *testing.T) {
	if os.Getenv("CONFORMANCE_BOX") != "" {
		t.Skip("needs to build the box: CONFORMANCE_BOX is set")
	}
	m := buildMutable(t)
	m.wantListed(t)
	var wait sync.WaitGroup
	slots := make(chan struct{}, 16) // they mostly wait
	wait.Go(func() { t.Run("none", func(t *testing.T) { m.wantAllPassed(t) }) })
	for _, o := range rulesOff {
		if o.why != "" {
			continue
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			t.Run(o.rule, func(t *testing.T) { m.wantFailed(t, o) })
		})
	}
	wait.Wait()
}

const ruleOff = "TURN_RULE_OFF="

// wantListed: every rule that the box has is in rulesOff, and the shipped box
// can leave none out.
func (m mutable) wantListed(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	text := `state_dir: state
turn: {listen: [{network: udp, address: "127.0.0.1:0"}]}
signaling: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(m.box, "serve", "-c", config)
	cmd.Env = append(os.Environ(), ruleOff+"?")
	out, _ := cmd.Output() // which ends it with an error
	var known []string
	for _, o := range rulesOff {
		known = append(known, o.rule)
	}
	has := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(known)
	slices.Sort(has)
	if !slices.Equal(known, has) {
		t.Fatalf("rulesOff and the box do not have the same rules:\n%q\n%q", known, has)
	}
	if shipped, err := os.ReadFile(boxBinary(t)); err != nil || strings.Contains(string(shipped), ruleOff[:len(ruleOff)-1]) {
		t.Errorf("the shipped box has something of it (%v)", err)
	}
}

// run runs tests on the box without a rule and returns what they said.
func (m mutable) run(program, rule string, names []string, patience string) string {
	var patterns []string
	for _, name := range names {
		patterns = append(patterns, "^"+strings.ReplaceAll(name, "/", "$/^")+"$")
	}
	cmd := exec.Command(program, "-test.v", "-test.timeout", "90s", "-test.run", strings.Join(patterns, "|"))
	cmd.Env = append(os.Environ(), ruleOff+rule, "CONFORMANCE_BOX="+m.box, "CONFORMANCE_PATIENCE="+patience)
	out, _ := cmd.CombinedOutput()
	return string(out)
}

func (m mutable) wantFailed(t *testing.T, o off) {
	program, names := m.tests, o.failing()
	if o.clock != nil {
		program, names = m.inside, o.clock
	}
	out := m.run(program, o.rule, names, "1s")
	for _, name := range names {
		if !ended(out, "FAIL", name) {
			t.Errorf("%s does not fail without the rule\n%s", name, tail(out, 2000))
		}
	}
}

// wantAllPassed is the other side: it is not this build that fails them.
func (m mutable) wantAllPassed(t *testing.T) {
	var names, clock []string
	for _, o := range rulesOff {
		names, clock = append(names, o.failing()...), append(clock, o.clock...)
	}
	slices.Sort(clock)
	slices.Sort(names)
	clock, names = slices.Compact(clock), slices.Compact(names)
	out := m.run(m.inside, "", clock, "") + m.run(m.tests, "", names, "")
	names = append(names, clock...)
	for _, name := range names {
		if !ended(out, "PASS", name) {
			t.Errorf("%s does not pass with every rule in force", name)
		}
	}
	if t.Failed() {
		t.Log(tail(out, 8000))
	}
}

// ended says whether that test has ended with that verdict.
func ended(out, verdict, name string) bool {
	return regexp.MustCompile(`(?m)^ *--- ` + verdict + `: ` + regexp.QuoteMeta(name) + ` \(`).MatchString(out)
}

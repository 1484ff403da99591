package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestMetricsAreDocumented holds docs/OPERATIONS.md and what a box really shows
// to each other.
func TestMetricsAreDocumented(t *testing.T) {
	p := serving(t, configDir(t, loopbackConfig))
	get(t, pageOf(t, p)+"/", "", "")
	code, body := get(t, "http://"+adminOf(t, p)+"/metrics", "", "")
	if code != http.StatusOK {
		t.Fatalf("/metrics answers %d", code)
	}
	page := readText(t, moduleRoot(t), "docs", "OPERATIONS.md")
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("`(icebox_[a-z_]+)").FindAllStringSubmatch(page, -1) {
		documented[m[1]] = true
	}
	shown := map[string]bool{}
	for line := range strings.Lines(body) {
		if name, ok := strings.CutPrefix(line, "# TYPE icebox_"); ok {
			shown["icebox_"+strings.Fields(name)[0]] = true
		}
	}
	if len(shown) < 10 {
		t.Errorf("only %d metrics are shown", len(shown))
	}
	for name := range shown {
		if !documented[name] {
			t.Errorf("%s is in no row of docs/OPERATIONS.md", name)
		}
	}
	causes := regexp.MustCompile(`icebox_turn_\w+\{(?:cause|transport)="([^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(causes) < 10 {
		t.Errorf("only %d causes and transports are shown", len(causes))
	}
	for _, m := range causes {
		if !strings.Contains(page, "`"+m[1]+"`") {
			t.Errorf("%s is not explained in docs/OPERATIONS.md", m[0])
		}
	}
	for name := range documented {
		if !shown[name] && name != "icebox_turn_refusals_total" { // shown from the first refusal on
			t.Errorf("docs/OPERATIONS.md has %s, which is not shown", name)
		}
	}
}

// TestUnitSetsNoKeys holds that the unit in docs/OPERATIONS.md sets nothing that
// commands in a shell would not know of.
func TestUnitSetsNoKeys(t *testing.T) {
	page := readText(t, moduleRoot(t), "docs", "OPERATIONS.md")
	_, unit, found := strings.Cut(page, "\n[Service]\n")
	unit, _, _ = strings.Cut(unit, "```")
	if !found || strings.Contains(unit, "ICEBOX_") || !strings.Contains(page, "\nstate_dir: /var/lib/icebox\n") {
		t.Errorf("the unit is %s", unit)
	}
}

// adminOf is where the admin listener of a serving box is.
func adminOf(t *testing.T, p *process) string {
	t.Helper()
	text := p.until(t, &p.stderr, `"admin":"`)
	admin := regexp.MustCompile(`"admin":"(127\.0\.0\.1:\d+)"`).FindStringSubmatch(text)
	if admin == nil {
		t.Fatal("the log does not say where the admin listener is")
	}
	return admin[1]
}

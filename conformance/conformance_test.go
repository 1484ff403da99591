//go:build linux

package conformance

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
)

// rule is a row: what a server has to do, and where that is said.
type rule struct {
	number  int
	section string
	name    string
	check   func(*testing.T, *scene)
	clock   string // what of it only time shows; tested in package turnserver
}

// atOnce is how many rows run side by side. They mostly wait for nothing to
// happen.
const atOnce = 24

func TestConformance(t *testing.T) {
	rules := allRules()
	for i, r := range rules {
		if r.number != i+1 {
			t.Fatalf("row %d has number %d", i+1, r.number)
		}
	}
	w := newWorld(t)
	b := start(t, w.box, setup{allow: peerRanges})
	few := startNarrow(t, w)
	table := &table{verdicts: make(map[string]string)}
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, r := range rules {
		for _, tr := range transports {
			slots <- struct{}{}
			wait.Go(func() {
				defer func() { <-slots }()
				s := &scene{world: w, box: b, transport: tr, few: few}
				t.Run(fmt.Sprintf("%02d/%s", r.number, tr.name), func(t *testing.T) {
					defer func() { table.record(r, tr, verdict(t)) }()
					r.check(t, s)
				})
			})
		}
	}
	wait.Wait()
	t.Logf("\n%s", table.print(rules))
	wantDiscreet(t, b)
}

// wantDiscreet: what the log of a box must not say, after all that.
func wantDiscreet(t *testing.T, b *box) {
	t.Helper()
	for what, secret := range map[string]string{
		"a password":           alice.password,
		"the address of users": clientAddress(0, false).String(),
		"an IPv6 one":          clientAddress(0, true).String(),
	} {
		if strings.Contains(b.log(), secret) {
			t.Errorf("the log says %s: %s", what, secret)
		}
	}
}

func verdict(t *testing.T) string {
	switch {
	case t.Failed():
		return "FAIL"
	case t.Skipped():
		return "-"
	default:
		return "pass"
	}
}

// table is what TestConformance prints.
type table struct {
	mu       sync.Mutex // guards verdicts
	verdicts map[string]string
}

func (tb *table) record(r rule, tr transport, verdict string) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.verdicts[fmt.Sprint(r.number, tr.name)] = verdict
}

func (tb *table) print(rules []rule) string {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "rule\t")
	for _, tr := range transports {
		fmt.Fprintf(w, "%s\t", tr.name)
	}
	fmt.Fprint(w, "section\twhat\n")
	for _, r := range rules {
		fmt.Fprintf(w, "%d\t", r.number)
		for _, tr := range transports {
			fmt.Fprintf(w, "%s\t", tb.verdicts[fmt.Sprint(r.number, tr.name)])
		}
		fmt.Fprintf(w, "%s\t%s", r.section, r.name)
		if r.clock != "" {
			fmt.Fprintf(w, " (clock: %s: covered in turnserver)", r.clock)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	return out.String()
}

// allRules are the 39 rows, in order.
func allRules() []rule {
	var all []rule
	for _, part := range [][]rule{stunRules, authRules, allocateRules, refreshRules, permissionRules, channelRules, sizeRules} {
		all = append(all, part...)
	}
	return all
}

package interop

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"icebox/internal/boxtest"
)

// load is how many clients turnutils_uclient plays (-m), and how many messages of
// each go to the peer and back, so many milliseconds apart.
type load struct{ clients, messages, interval int }

// steady also has a second allocation of each client, with the next port, for
// RTCP: clients are told apart by it.
var steady = load{clients: 2, messages: 50, interval: 5}

// coturnBytes is how long a message is.
const coturnBytes = 170

// args is the load as arguments.
func (l load) args() []string {
	return strings.Fields(fmt.Sprintf("-l %d -m %d -n %d -z %d", coturnBytes, l.clients, l.messages, l.interval))
}

// coturn finds a program of Debian's coturn, which scripts/deps.sh unpacks into
// dist: installed, its server would take port 3478.
func coturn(t *testing.T, name string) string {
	t.Helper()
	unpacked, err := filepath.Abs("../dist/coturn/usr/bin/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{unpacked, name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	boxtest.Lacks(t, "coturn's "+name+" (make deps)")
	return ""
}

// TestCoturn lets turnutils_uclient send through the box to turnutils_peer, which
// sends everything back, or from one client to another.
//
// Always by Send indications (-s): it picks channel numbers from all of RFC 5766's
// range, of which RFC 8656, section 12, leaves 0x4000 to 0x4FFF. And never for
// both families at once (-Z): its ADDITIONAL-ADDRESS-FAMILY is 0x8032, that of
// RFC 8656, section 18.11, is 0x8000.
func TestCoturn(t *testing.T) {
	client, echo := coturn(t, "turnutils_uclient"), coturn(t, "turnutils_peer")
	// All of them come from one address.
	w := newWorld(t, `listen: [{network: udp, address: ":3478"}, {network: tcp, address: ":3478"}, {network: tls, address: ":5349"}]`,
		`limits: {connections_per_address: 1000, unauthenticated: {rate: 1000, burst: 1000}}`)
	for _, address := range []string{w.peer.Addr().String(), w.peer.Addr6().String()} {
		if err := w.peer.Command(context.Background(), echo, "-p", "3480", "-L", address).Start(); err != nil {
			t.Fatal(err)
		}
	}
	box, box6 := w.box.Addr().String(), w.box.Addr6().String()
	peer, peer6 := " -e "+w.peer.Addr().String()+" ", " -e "+w.peer.Addr6().String()+" "
	known := "-u " + user + " -w " + password
	verified := " -S -E " + w.authority.file
	for _, c := range []struct {
		name string
		load load
		args string
	}{
		{"udp", steady, known + peer + box},
		{"tcp", steady, known + " -t" + peer + box},
		{"tls", steady, known + verified + " -t -p 5349" + peer + box},
		{"tls on the signaling port", steady, known + verified + " -t -p 3002" + peer + box},
		{"client to client", steady, known + " -y " + box},
		{"client to client by tcp", steady, known + " -y -t " + box},
		{"client to client by tls", steady, known + verified + " -y -t -p 3002 " + box},
		{"IPv6 relay", steady, known + " -x" + peer6 + box},
		{"IPv6 client", steady, known + " -X" + peer + box6},
		{"IPv6 client and relay", steady, known + " -x" + peer6 + box6},
		{"IPv6 client by tls", steady, known + verified + " -X -t -p 3002" + peer + box6},
		{"time-limited", steady, "-u user/" + user + " -W " + secret + peer + box},
		{"requests in between", steady, known + " -G" + peer + box},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			args := append(append([]string{"-s"}, c.load.args()...), strings.Fields(c.args)...)
			out, err := w.client.Command(ctx, client, args...).CombinedOutput()
			if fault := lost(string(out), c.load.clients*c.load.messages); err != nil || fault != "" {
				t.Errorf("%v; %s\n%s\n%s", err, fault, strings.Join(args, " "), out)
			}
		})
	}
}

// coturnTotals are the last lines of turnutils_uclient: messages and bytes that
// were sent and came back, and what it counts as lost.
var coturnTotals = regexp.MustCompile(`start_mclient: tot_send_msgs=(\d+), tot_recv_msgs=(\d+)
.*start_mclient: tot_send_bytes ~ (\d+), tot_recv_bytes ~ (\d+)
.*
.*Total lost packets (\d+) `)

// lost says what is wrong with the output of turnutils_uclient. Empty: it has sent
// this many messages at least, and every byte came back.
func lost(out string, atLeast int) string {
	found := coturnTotals.FindStringSubmatch(out)
	if found == nil {
		return "no totals"
	}
	var n [5]int
	for i := range n {
		n[i], _ = strconv.Atoi(found[i+1]) // digits alone
	}
	if n[0] < atLeast || n[0] != n[1] || n[2] != n[0]*coturnBytes || n[2] != n[3] || n[4] != 0 {
		return fmt.Sprintf("of %d messages (%d bytes) %d (%d bytes) came back; want all of %d or more", n[0], n[2], n[1], n[3], atLeast)
	}
	return ""
}

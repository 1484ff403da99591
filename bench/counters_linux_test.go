package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"icebox/natlab"
)

// counters are what the kernel counts where packets can be lost.
type counters struct {
	boxReceive uint64 // no room in a socket's buffer, or none for it, at the box
	boxSend    uint64 // the same where the box sends
	ends       uint64 // the same at client and peer
	backlog    uint64 // a CPU had too many packets waiting, anywhere on the machine
	strays     uint64 // met no socket at client and peer
}

// counters reads them all.
func (f *field) counters() (c counters, err error) {
	box, err := udpCounters(f.server)
	if err != nil {
		return c, err
	}
	c.boxReceive = box["RcvbufErrors"] + box["MemErrors"]
	c.boxSend = box["SndbufErrors"]
	for _, h := range []*natlab.Host{f.client, f.peer} {
		end, err := udpCounters(h)
		if err != nil {
			return c, err
		}
		c.ends += end["RcvbufErrors"] + end["MemErrors"]
		c.strays += end["NoPorts"]
	}
	c.backlog, err = backlogDrops()
	return c, err
}

func (c counters) since(before counters) counters {
	return counters{c.boxReceive - before.boxReceive, c.boxSend - before.boxSend, c.ends - before.ends,
		c.backlog - before.backlog, c.strays - before.strays}
}

// udpCounters are a host's, by their names in /proc/net/snmp: a line of names,
// and a line of values.
func udpCounters(h *natlab.Host) (map[string]uint64, error) {
	var text []byte
	err := h.Do(func() (err error) {
		text, err = os.ReadFile("/proc/thread-self/net/snmp")
		return err
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		switch {
		case fields[0] != "Udp:":
		case names == nil:
			names = fields
		default:
			values := make(map[string]uint64)
			for i, name := range names[1:] {
				values[name], _ = strconv.ParseUint(fields[i+1], 10, 64)
			}
			return values, nil
		}
	}
	return nil, fmt.Errorf("no counters of UDP in %s", h.Name())
}

// backlogDrops is the second column of softnet_stat, of all CPUs.
func backlogDrops() (sum uint64, err error) {
	text, err := os.ReadFile("/proc/net/softnet_stat")
	if err != nil {
		return 0, fmt.Errorf("drops of the backlog: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		n, err := strconv.ParseUint(strings.Fields(line)[1], 16, 64)
		if err != nil {
			return 0, fmt.Errorf("drops of the backlog: %w", err)
		}
		sum += n
	}
	return sum, nil
}

// adminAddress is where icebox gives its metrics on the box.
const adminAddress = "127.0.0.1:9640"

// drops are icebox's own counts of what it did not pass on, by cause.
func (f *field) drops() (map[string]float64, error) {
	body, err := f.metrics()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return readDrops(body)
}

// metrics are icebox's, to be closed.
func (f *field) metrics() (io.ReadCloser, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return f.server.Dial(ctx, network, address)
		},
	}}
	answer, err := client.Get("http://" + adminAddress + "/metrics")
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return answer.Body, nil
}

func readDrops(metrics io.Reader) (map[string]float64, error) {
	causes := make(map[string]float64)
	lines := bufio.NewScanner(metrics)
	for lines.Scan() {
		rest, found := strings.CutPrefix(lines.Text(), `icebox_turn_dropped_packets_total{cause="`)
		cause, value, both := strings.Cut(rest, `"} `)
		if !found || !both {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
		causes[cause] = n
	}
	return causes, lines.Err()
}

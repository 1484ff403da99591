package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Contains says whether a port belongs to the range.
func (r PortRange) Contains(port uint16) bool { return r.Min <= port && port <= r.Max }

// String is the range as the file has it, MIN-MAX.
func (r PortRange) String() string { return fmt.Sprintf("%d-%d", r.Min, r.Max) }

// parsePorts reads MIN-MAX. It does not ask whether the ends make sense.
func parsePorts(text string) (PortRange, error) {
	low, high, found := strings.Cut(text, "-")
	if !found {
		return PortRange{}, fmt.Errorf("no - in %q", text)
	}
	first, err := parsePort(low)
	if err != nil {
		return PortRange{}, err
	}
	last, err := parsePort(high)
	return PortRange{first, last}, err
}

// parsePort reads a port in plain digits.
func parsePort(text string) (uint16, error) {
	if !digits(text) {
		return 0, fmt.Errorf("%q is no port", text)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return uint16(n), err
}

// relayPorts is the kind of turn.relay.ports. Ports that only root may open are
// no relay ports.
func relayPorts() kind {
	const lowest = 1024
	want := "MIN-MAX, ports from 1024 to 65535"
	return kind{want: want, check: func(text string) *flaw {
		r, err := parsePorts(text)
		switch {
		case err != nil:
			return &flaw{mean: meantPorts(text)}
		case r.Min > r.Max:
			return &flaw{why: "upside down", mean: PortRange{r.Max, r.Min}.String()}
		case r.Min < lowest:
			return &flaw{why: "ports below 1024 are no relay ports"}
		}
		return nil
	}}
}

// meantPorts guesses at a range in another spelling: 50000:50999, one port.
func meantPorts(text string) string {
	ends := strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if len(ends) == 1 {
		ends = append(ends, ends[0])
	}
	if len(ends) != 2 {
		return ""
	}
	r, err := parsePorts(ends[0] + "-" + ends[1])
	if err != nil || r.Min > r.Max {
		return ""
	}
	return r.String()
}

func digits(text string) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return text != ""
}

package e2e

import (
	"fmt"
	"testing"

	"icebox/internal/boxtest"
	"icebox/natlab"
)

// Home routers that people have.
var (
	// usual maps endpoint-independent: two of them connect directly.
	usual = natlab.NAT{Mapping: natlab.EndpointIndependent, Filtering: natlab.AddressAndPortDependent}
	// fullCone lets everybody answer, asked or not.
	fullCone = natlab.NAT{Mapping: natlab.EndpointIndependent, Filtering: natlab.EndpointIndependent}
	// symmetric maps per remote: two of them need the relay.
	symmetric = natlab.NAT{Mapping: natlab.AddressAndPortDependent, Filtering: natlab.AddressAndPortDependent}
)

// world is an internet with a box in it.
type world struct {
	t      *testing.T
	lab    *natlab.Lab
	router *natlab.Router // of the box
	box    *boxtest.Box
	homes  int
}

// newWorld starts a box behind a router that forwards all its ports.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, configuration)
}

// newWorldOf is newWorld with a box of this config.yaml.
func newWorldOf(t *testing.T, configuration string) *world {
	t.Helper()
	w := newNarrowWorldOf(t, configuration)
	w.router.ForwardRange("udp", 50000, 50999, w.box.Host)
	return w
}

// newNarrowWorld starts a box behind a router that forwards no relay ports. The
// router has no hairpin.
func newNarrowWorld(t *testing.T) *world {
	t.Helper()
	return newNarrowWorldOf(t, configuration)
}

func newNarrowWorldOf(t *testing.T, configuration string) *world {
	t.Helper()
	w := newWebWorldOf(t, configuration)
	for _, protocol := range []string{"udp", "tcp"} {
		w.router.Forward(protocol, 3478, w.box.Host)
	}
	return w
}

// newWebWorldOf starts a box behind a router that forwards nothing but the port of
// pages and signaling.
func newWebWorldOf(t *testing.T, configuration string) *world {
	t.Helper()
	lab := natlab.New(t)
	router := lab.Router("the box's router", natlab.NAT{Public: boxPublic})
	host := router.Host("box")
	router.Forward("tcp", 3002, host)
	return &world{t: t, lab: lab, router: router, box: boxtest.Start(t, host, configuration)}
}

// home makes one more home with such a router.
func (w *world) home(nat natlab.NAT) *natlab.Router {
	w.t.Helper()
	w.homes++
	nat.Public = fmt.Sprintf("203.0.113.%d", 10*w.homes)
	return w.lab.Router(fmt.Sprintf("router %d", w.homes), nat)
}

package signaling

import (
	"net/http"
	"net/netip"
	"sync"

	"icebox/internal/hostnet"
)

// gate counts sockets, from before their upgrade until their connection is
// closed, and knows who may still come in.
type gate struct {
	maxRefusing int

	mu        sync.Mutex // guards the rest
	total     int
	byAddress map[netip.Addr]int
	refusing  int
}

// pass is what enter gave, for leave.
type pass struct {
	address netip.Addr
	refused bool
}

func newGate(maxRefusing int) *gate {
	return &gate{maxRefusing: maxRefusing, byAddress: make(map[netip.Addr]int)}
}

// enter counts one socket more of address. With a refusal the pass is for the
// short time that it takes to say so; refuseFlood comes without a pass. One that
// replaces another goes in beyond the caps: that other is about to go.
func (g *gate) enter(address netip.Addr, set *settings, replaces bool) (pass, *refusal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var no *refusal
	switch {
	case replaces:
	case g.total >= set.maxConnections:
		no = refuseMaxConnections
	case g.byAddress[address] >= set.perAddress:
		no = refusePerAddress
	}
	if no == nil {
		g.total++
		g.byAddress[address]++
		return pass{address: address}, nil
	}
	if g.refusing >= g.maxRefusing {
		return pass{}, refuseFlood
	}
	g.refusing++
	return pass{refused: true}, no
}

// leave gives back what enter counted. Each pass is given back once.
func (g *gate) leave(p pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.refused {
		g.refusing--
		return
	}
	g.total--
	if g.byAddress[p.address]--; g.byAddress[p.address] == 0 {
		delete(g.byAddress, p.address)
	}
}

// sockets is how many are in, those being refused aside.
func (g *gate) sockets() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.total
}

// addressOf is whom a request is counted for. What can't be read counts as one
// address together.
func addressOf(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return hostnet.Household(ap.Addr())
}

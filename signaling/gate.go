package signaling

import (
	"net/http"
	"net/netip"
	"sync"

	"icebox/internal/hostnet"
)

// gate counts sockets, from before their upgrade until their connection is
// closed, and the members who have lost theirs, and knows who may still come in.
type gate struct {
	maxRefusing int

	mu        sync.Mutex // guards the rest
	total     int
	byAddress map[netip.Addr]int
	lost      map[netip.Addr]int // members, by the address of the connection
	refusing  int
}

// pass is what enter gave, for leave.
type pass struct {
	address netip.Addr
	refused bool
}

func newGate(maxRefusing int) *gate {
	return &gate{maxRefusing: maxRefusing, byAddress: make(map[netip.Addr]int), lost: make(map[netip.Addr]int)}
}

// enter counts one socket more of address. With a refusal the pass is for the
// short time that it takes to say so; refuseFlood comes without a pass. Those that
// come back go in beyond the caps, by as many again: others may have taken their
// places meanwhile, or the ones that they replace are about to go.
func (g *gate) enter(address netip.Addr, set *settings, comesBack bool) (pass, *refusal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	times := 1
	if comesBack {
		times = 2
	}
	var no *refusal
	switch {
	case g.total >= times*set.maxConnections:
		no = refuseMaxConnections
	case g.byAddress[address] >= times*set.perAddress:
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

// wait counts a member that has lost its connection, until waited, and says whether
// it may have a while to come back: of one address, as many as may be connected.
func (g *gate) wait(address netip.Addr, set *settings) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lost[address]++
	return g.lost[address] <= set.perAddress
}

// waited ends what wait began: the member is back, or has left.
func (g *gate) waited(address netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lost[address]--; g.lost[address] == 0 {
		delete(g.lost, address)
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

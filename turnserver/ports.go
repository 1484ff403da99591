package turnserver

import (
	"math/rand/v2"
	"sync"
)

// ports is the free list of relay ports of one address family. Each is given
// out at random, so that the next cannot be foretold (RFC 8656 section 7.2).
type ports struct {
	min uint16

	mu      sync.Mutex // guards what follows
	used    []bool
	free    int
	leaving int        // used ones whose sockets are being closed
	freed   *sync.Cond // one of those is free
}

func newPorts(min, max uint16) *ports {
	n := int(max) - int(min) + 1
	p := &ports{min: min, used: make([]bool, n), free: n}
	p.freed = sync.NewCond(&p.mu)
	return p
}

// take gives out a free port.
func (p *ports) take() (uint16, bool) {
	return p.pick(func(i int) bool { return !p.used[i] }, 1)
}

// takeEven gives out a free even port, and with pair the next one too, both at
// once (EVEN-PORT, RFC 8656 section 18.7).
func (p *ports) takeEven(pair bool) (uint16, bool) {
	n := 1
	if pair {
		n = 2
	}
	return p.pick(func(i int) bool {
		if (int(p.min)+i)%2 != 0 || p.used[i] {
			return false
		}
		return !pair || i+1 < len(p.used) && !p.used[i+1]
	}, n)
}

// pick takes the first n ports at a place that fits, from a random one on. Where
// there is none, it waits for those that are on their way back by now: their
// sessions have ended, and who has been told so can have them.
func (p *ports) pick(fits func(int) bool, n int) (uint16, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for awaited := p.leaving; ; awaited-- {
		if port, ok := p.find(fits, n); ok || awaited <= 0 || p.leaving <= 0 {
			return port, ok
		}
		p.freed.Wait()
	}
}

// find is pick of what is free now. mu is held.
func (p *ports) find(fits func(int) bool, n int) (uint16, bool) {
	if p.free < n {
		return 0, false
	}
	start := rand.IntN(len(p.used))
	for step := range p.used {
		i := (start + step) % len(p.used)
		if !fits(i) {
			continue
		}
		for j := range n {
			p.used[i+j] = true
		}
		p.free -= n
		return p.min + uint16(i), true
	}
	return 0, false
}

// release takes a port back.
func (p *ports) release(port uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put(port)
}

// leave says that the socket of a port is being closed: returned follows soon.
func (p *ports) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaving++
}

// returned takes the port of a closed socket back.
func (p *ports) returned(port uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaving--
	p.put(port)
	p.freed.Broadcast()
}

// put takes a port back. mu is held.
func (p *ports) put(port uint16) {
	if i := int(port) - int(p.min); p.used[i] {
		p.used[i] = false
		p.free++
	}
}

// available is how many ports are free.
func (p *ports) available() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.free
}

package turnserver

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// plain is the data path of goroutines: one reads each socket of a listener, and
// one each relay. It runs everywhere.
type plain struct {
	log       *slog.Logger
	listeners []*udpListener
	serving   sync.WaitGroup // goroutines that read listeners
	relaying  sync.WaitGroup // and those that read relays
}

func newPlain(log *slog.Logger) *plain { return &plain{log: log} }

func (p *plain) listen(address string) (net.Addr, error) {
	l, err := listenUDP(address)
	if err != nil {
		return nil, err
	}
	p.listeners = append(p.listeners, l)
	return l.addr(), nil
}

func (p *plain) start(g *guard) {
	for _, l := range p.listeners {
		for _, socket := range l.sockets {
			p.serving.Go(func() { socket.serve(g, p.log) })
		}
	}
}

func (p *plain) stop() {
	for _, l := range p.listeners {
		l.close()
	}
	p.serving.Wait()
}

func (p *plain) close() error {
	p.relaying.Wait()
	return nil
}

func (p *plain) open(s *session, addr, bind netip.AddrPort, closed func()) (*relay, error) {
	lc := net.ListenConfig{Control: controlRelay}
	network, address := "udp4", bind.String()
	if addr.Addr().Is6() {
		network = "udp6"
	}
	conn, err := lc.ListenPacket(context.Background(), network, address)
	if err != nil {
		return nil, err
	}
	out, err := newSender(conn.(*net.UDPConn))
	if err != nil {
		conn.Close()
		return nil, err
	}
	r := &plainRelay{relay: relay{session: s, addr: addr}, conn: conn.(*net.UDPConn), out: out}
	r.socket = r
	p.relaying.Go(func() {
		r.read()
		closed()
	})
	return &r.relay, nil
}

// carry has nothing to do: the goroutines ask the guard's table.
func (p *plain) carry(*session) {}

func (p *plain) release(*session) {}

// settle has nothing to do: what each goroutine has in hand is known (inHand).
func (p *plain) settle() {}

func (p *plain) bundle() bundle { return direct{} }

func (p *plain) lost() pathLosses { return pathLosses{} }
func (p *plain) trains() bool     { return false }

// plainRelay is a relay socket that a goroutine reads.
type plainRelay struct {
	relay
	conn    *net.UDPConn
	out     *sender
	closing atomic.Bool
}

func (r *plainRelay) send(payload []byte, to netip.AddrPort, df bool) error {
	if df {
		return r.out.sendUnfragmented(payload, to)
	}
	return r.out.send(payload, nil, to)
}

func (r *plainRelay) close() {
	r.closing.Store(true)
	r.conn.Close()
}

package turnserver

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v2"
	"github.com/pion/turn/v3"
)

const (
	// engineLifetime is what every allocation is asked for and refreshed with:
	// the longest that pion takes. Its timer must never fire on a session in use.
	engineLifetime = 3599 * time.Second
	// engineChannels outlives every session, so that pion's channel timers never
	// fire either.
	engineChannels = 20 * 365 * 24 * time.Hour
	// engineMTU is more than any request that the guard builds.
	engineMTU = 8192

	engineUser  = "icebox"
	engineRealm = "engine"
)

var errEngineClosed = errors.New("the TURN engine is closed")

// engine is pion/turn as a function: one sound request in, at most one answer
// out. pion reads requests from a virtual connection, and when it reads again
// the request before is done with, answered or not. It knows every session by
// an address made up for it, and sees no packet of a client or a peer.
type engine struct {
	// mu is held for one request at a time, and so also while a session ends:
	// pion's Close of a session must never run beside a request of it.
	mu       sync.Mutex
	conn     *engineConn
	key      []byte
	nonce    []byte
	request  []byte        // of the request in hand, used again for the next
	asked    uint64        // requests so far: their transaction IDs
	names    atomic.Uint64 // made-up addresses given out
	prepared *engineLeg    // what pion gets for the Allocate in progress
	server   *turn.Server
}

// newEngine starts pion. permits is asked once more for every peer that pion is
// told of. close ends it.
func newEngine(permits func(netip.Addr) bool) (*engine, error) {
	e := &engine{conn: newEngineConn(), key: make([]byte, 32)}
	rand.Read(e.key)
	server, err := turn.NewServer(turn.ServerConfig{
		Realm:              engineRealm,
		AuthHandler:        func(string, string, net.Addr) ([]byte, bool) { return e.key, true },
		ChannelBindTimeout: engineChannels,
		InboundMTU:         engineMTU,
		LoggerFactory:      silence{},
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn:            e.conn,
			RelayAddressGenerator: (*engineRelays)(e),
			PermissionHandler: func(_ net.Addr, ip net.IP) bool {
				addr, ok := netip.AddrFromSlice(ip)
				return ok && permits(addr.Unmap())
			},
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("starting the TURN engine: %w", err)
	}
	e.server = server
	return e, nil
}

// close ends pion once no session is left.
func (e *engine) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.server.Close()
	<-e.conn.left
	return err
}

// engineName is the address that pion knows a session by. It is never used
// again, so that what pion does late to an ended session hits no other.
func (e *engine) engineName() *net.UDPAddr {
	ip := make(net.IP, net.IPv6len)
	ip[0] = 0xfd
	binary.BigEndian.PutUint64(ip[8:], e.names.Add(1))
	return &net.UDPAddr{IP: ip, Port: 1}
}

// verdict is pion's answer, or that it gave none.
type verdict struct {
	granted  bool
	answered bool
	code     stun.ErrorCode
}

// allocate asks for a session whose relay, as pion sees it, is leg.
func (e *engine) allocate(leg *engineLeg) (verdict, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.prepared = leg
	defer func() { e.prepared = nil }()
	e.begin(stun.MethodAllocate)
	e.attribute(requestedUDP.Type, requestedUDP.Value)
	e.lifetime(engineLifetime)
	return e.ask(leg.name, stun.MethodAllocate)
}

// refresh keeps a session, or with a duration of 0 ends it: then pion has
// closed the session's leg when refresh returns.
func (e *engine) refresh(name *net.UDPAddr, d time.Duration) (verdict, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.begin(stun.MethodRefresh)
	e.lifetime(d)
	return e.ask(name, stun.MethodRefresh)
}

// permit asks for permissions to reach peers.
func (e *engine) permit(name *net.UDPAddr, peers []netip.AddrPort) (verdict, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.begin(stun.MethodCreatePermission)
	for _, p := range peers {
		e.peer(p)
	}
	return e.ask(name, stun.MethodCreatePermission)
}

// bind asks for a channel to peer, under a number of the box's own.
func (e *engine) bind(name *net.UDPAddr, number uint16, peer netip.AddrPort) (verdict, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.begin(stun.MethodChannelBind)
	e.attribute(stun.AttrChannelNumber, []byte{byte(number >> 8), byte(number), 0, 0})
	e.peer(peer)
	return e.ask(name, stun.MethodChannelBind)
}

// ask signs the request that was begun with one of pion's nonces and hands it
// over. A nonce that pion no longer takes is fetched anew once.
func (e *engine) ask(name *net.UDPAddr, method stun.Method) (verdict, error) {
	unsigned := len(e.request)
	for range 2 {
		if e.nonce == nil {
			if err := e.fetchNonce(); err != nil {
				return verdict{}, err
			}
		}
		e.request = e.request[:unsigned]
		e.sign()
		answer, err := e.conn.exchange(e.request, name)
		if err != nil {
			return verdict{}, fmt.Errorf("asking the TURN engine to %s: %w", method, err)
		}
		v := readVerdict(answer)
		if v.code != stun.CodeStaleNonce {
			return v, nil
		}
		e.nonce = nil
	}
	return verdict{code: stun.CodeServerError}, nil
}

// fetchNonce asks without credentials: pion's 401 carries a nonce of its own,
// good for an hour of the wall clock.
func (e *engine) fetchNonce() error {
	bare := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), requestedUDP)
	answer, err := e.conn.exchange(bare.Raw, &net.UDPAddr{IP: net.IPv6loopback, Port: 1})
	if err != nil {
		return fmt.Errorf("asking the TURN engine for a nonce: %w", err)
	}
	var m message
	if err := m.parse(answer); err != nil {
		return fmt.Errorf("reading the TURN engine's nonce: %w", err)
	}
	e.nonce = append([]byte(nil), m.value(attrNonce)...)
	return nil
}

func readVerdict(answer []byte) verdict {
	var m message
	if len(answer) == 0 || m.parse(answer) != nil {
		return verdict{}
	}
	if m.kind.Class == stun.ClassSuccessResponse {
		return verdict{granted: true, answered: true}
	}
	return verdict{answered: true, code: m.errorCode()}
}

// errorCode reads ERROR-CODE from an answer of the engine, 0 where there is none.
func (m *message) errorCode() stun.ErrorCode {
	for at := headerSize; at < len(m.raw); {
		size := int(binary.BigEndian.Uint16(m.raw[at+2:]))
		if stun.AttrType(binary.BigEndian.Uint16(m.raw[at:])) == stun.AttrErrorCode && size >= 4 {
			v := m.raw[at+attributeHeader:]
			return stun.ErrorCode(int(v[2]&7)*100 + int(v[3]))
		}
		at += attributeHeader + (size+3)&^3
	}
	return 0
}

// engineRelays is the engine as pion's RelayAddressGenerator: it gives out what
// was prepared, and nothing else.
type engineRelays engine

// Validate implements turn.RelayAddressGenerator.
func (r *engineRelays) Validate() error { return nil }

// AllocatePacketConn implements turn.RelayAddressGenerator. pion calls it on
// its reading goroutine, while the engine's lock is held for the Allocate.
func (r *engineRelays) AllocatePacketConn(string, int) (net.PacketConn, net.Addr, error) {
	leg := r.prepared
	if leg == nil {
		return nil, nil, errors.New("no relay was prepared")
	}
	r.prepared = nil
	return leg, leg.LocalAddr(), nil
}

// AllocateConn implements turn.RelayAddressGenerator: no TCP relays.
func (r *engineRelays) AllocateConn(string, int) (net.Conn, net.Addr, error) {
	return nil, nil, errors.ErrUnsupported
}

// silence drops pion's log: the guard has counted and logged what matters, and
// pion writes a line a malformed datagram.
type silence struct{}

// NewLogger implements logging.LoggerFactory.
func (silence) NewLogger(string) logging.LeveledLogger {
	return logging.NewDefaultLeveledLoggerForScope("", logging.LogLevelDisabled, io.Discard)
}

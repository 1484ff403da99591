package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// stormSockets is how many there are; "make storm" has 10,000.
func stormSockets(t *testing.T) int {
	t.Helper()
	text := os.Getenv("ICEBOX_STORM")
	if text == "" {
		return 500
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 2 {
		t.Fatalf("ICEBOX_STORM=%s: a number of sockets is expected", text)
	}
	return n
}

// stormConfig lifts what one address would run into.
const stormConfig = `turn:
  listen: [{network: udp, address: "127.0.0.1:0"}]
  users: [{name: admin, password: "a-password-of-admin"}]
signaling:
  listen: "127.0.0.1:0"
  access: open
  max_connections: 100000
  connections_per_address: 100000
admin: {listen: ""}
`

// swimmer is one peer of the storm: the first or the second in its room.
type swimmer struct {
	url   string
	room  string
	first bool

	conn   *websocket.Conn
	id     string
	resume string
	seq    uint64
	heard  int // messages of the other
	sent   int
}

// answer is any message from the server.
type answer struct {
	Type, ID, Resume string
	Resumed          bool
	Received         int
	Seq              uint64
	N                int
}

var stormTLS = &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(8)}

// connect enters the room, or comes back to it.
func (s *swimmer) connect() error {
	query := ""
	if s.resume != "" {
		query = fmt.Sprintf("?resume=%s&seq=%d", s.resume, s.seq)
	}
	d := websocket.Dialer{TLSClientConfig: stormTLS, HandshakeTimeout: patience, ReadBufferSize: 512, WriteBufferSize: 512}
	c, _, err := d.Dial(s.url+"/ws/"+s.room+query, nil)
	if err != nil {
		return err
	}
	s.conn = c
	m, err := s.read()
	switch {
	case err != nil:
		return err
	case m.Type != "welcome":
		return fmt.Errorf("instead of a welcome there is %+v", m)
	case s.resume == "":
		s.id, s.resume = m.ID, m.Resume
		return nil
	case !m.Resumed || m.ID != s.id:
		return fmt.Errorf("%s has come back as %+v", s.id, m)
	}
	return s.send(m.Received+1, s.sent)
}

func (s *swimmer) read() (m answer, err error) {
	s.conn.SetReadDeadline(time.Now().Add(time.Minute))
	err = s.conn.ReadJSON(&m)
	if err == nil && m.Seq != 0 {
		if m.Seq != s.seq+1 {
			return m, fmt.Errorf("seq %d follows %d", m.Seq, s.seq)
		}
		s.seq = m.Seq
	}
	return m, err
}

// send sends the messages of these numbers.
func (s *swimmer) send(from, to int) error {
	for n := from; n <= to; n++ {
		text, err := json.Marshal(map[string]any{"type": "n", "n": n})
		if err != nil {
			return err
		}
		if err := s.conn.WriteMessage(websocket.TextMessage, text); err != nil {
			return err
		}
		s.sent = max(s.sent, n)
	}
	return nil
}

// hear reads until the message of that number has come, each one once.
func (s *swimmer) hear(last int) error {
	for s.heard < last {
		m, err := s.read()
		if err != nil {
			return fmt.Errorf("after message %d: %w", s.heard, err)
		}
		if m.Type != "n" {
			continue
		}
		if s.heard++; m.N != s.heard {
			return fmt.Errorf("message %d has come as number %d", m.N, s.heard)
		}
	}
	return nil
}

// cut ends the connection as a network that is gone.
func (s *swimmer) cut() {
	tcp := s.conn.NetConn().(*tls.Conn).NetConn().(*net.TCPConn)
	tcp.SetLinger(0)
	tcp.Close()
}

// all does the same with every swimmer, many at a time.
func all(t *testing.T, swimmers []*swimmer, do func(*swimmer) error) {
	t.Helper()
	var wg sync.WaitGroup
	var failed atomic.Int64
	next := make(chan *swimmer)
	for range 64 {
		wg.Go(func() {
			for s := range next {
				if err := do(s); err != nil && failed.Add(1) < 10 {
					t.Errorf("%s: %v", s.room, err)
				}
			}
		})
	}
	for _, s := range swimmers {
		next <- s
	}
	close(next)
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// TestStormOfReconnects: all sockets drop at once and come back with nothing lost
// and nothing twice, and a call that the box relays meanwhile is unhurt.
func TestStormOfReconnects(t *testing.T) {
	n := stormSockets(t)
	dir := configDir(t, stormConfig)
	p := serving(t, dir)
	url := strings.Replace(pageOf(t, p), "http", "ws", 1)
	swimmers := make([]*swimmer, n)
	for i := range swimmers {
		swimmers[i] = &swimmer{url: url, room: fmt.Sprintf("room%d", i/2), first: i%2 == 0}
	}
	all(t, swimmers, (*swimmer).connect)
	all(t, swimmers, func(s *swimmer) error { return s.send(1, 3) })
	call := startCall(t, p)
	time.Sleep(time.Second)

	begin := time.Now()
	for _, s := range swimmers {
		s.cut()
	}
	all(t, swimmers, (*swimmer).connect)
	back := time.Since(begin)
	all(t, swimmers, func(s *swimmer) error { return s.send(4, 4) })
	all(t, swimmers, func(s *swimmer) error { return s.hear(4) })
	sent, lost, gap := call.stop()
	t.Logf("%d sockets were back after %v; of %d packets of the call %d were lost, the longest gap was %v", n, back, sent, lost, gap)
	if back > 20*time.Second {
		t.Errorf("it took %v, want less than 20s", back)
	}
	if lost > sent/100 || gap > 3*time.Second { // other tests may want the machine at the same time
		t.Errorf("the call was hurt")
	}
	for _, s := range swimmers {
		s.conn.Close()
	}
}

// call is two clients whose relays send to each other.
type call struct {
	halt     chan struct{}
	done     sync.WaitGroup
	sent     int
	received atomic.Int64
	gap      time.Duration // the longest between two packets
}

// startCall makes a call of 50 packets a second.
func startCall(t *testing.T, p *process) *call {
	t.Helper()
	_, body := get(t, pageOf(t, p)+"/api/ice", "admin", "a-password-of-admin")
	var ice struct{ IceServers []struct{ URLs []string } }
	if err := json.Unmarshal([]byte(body), &ice); err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(ice.IceServers[0].URLs[0], "stun:")
	a, b := relayOf(t, address), relayOf(t, address)
	// Each side has to permit the other before anything passes.
	for _, pair := range [][2]net.PacketConn{{a, b}, {b, a}} {
		if _, err := pair[0].WriteTo([]byte("hello"), pair[1].LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(100 * time.Millisecond)
	c := &call{halt: make(chan struct{})}
	c.done.Go(func() { c.speak(a, b.LocalAddr()) })
	c.done.Go(func() { c.listen(b) })
	return c
}

func relayOf(t *testing.T, address string) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	relay, err := openRelay(t, conn, address, "admin", "a-password-of-admin")
	if err != nil {
		t.Fatal(err)
	}
	return relay
}

func (c *call) speak(from net.PacketConn, to net.Addr) {
	for {
		select {
		case <-c.halt:
			return
		case <-time.After(20 * time.Millisecond):
			if _, err := from.WriteTo([]byte("a packet of the call"), to); err == nil {
				c.sent++
			}
		}
	}
}

// listen counts until nothing has come for a second after the end.
func (c *call) listen(at net.PacketConn) {
	buf := make([]byte, 100)
	last := time.Now()
	for {
		at.SetReadDeadline(time.Now().Add(time.Second))
		n, _, err := at.ReadFrom(buf)
		select {
		case <-c.halt:
			if err != nil {
				return
			}
		default:
		}
		if err == nil && string(buf[:n]) == "a packet of the call" {
			c.received.Add(1)
			c.gap = max(c.gap, time.Since(last))
			last = time.Now()
		}
	}
}

func (c *call) stop() (sent, lost int, gap time.Duration) {
	close(c.halt)
	c.done.Wait()
	return c.sent, c.sent - int(c.received.Load()), c.gap
}

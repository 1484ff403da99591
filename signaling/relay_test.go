package signaling

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

func TestVerbatim(t *testing.T) {
	_, url := start(t, testConfig())
	a, b, c := dial(t, url), dial(t, url), dial(t, url)
	texts := map[string]string{
		"empty":             "",
		"one byte":          "x",
		"no JSON":           "hello, world",
		"odd JSON":          "{ \"b\" :1,\t\"a\":1.0e+02 , \"a\":null,\n\"type\":\"offer\" }\r\n ",
		"escapes":           `{"sdp":"v=0\r\no=- \u4f60\/ <>&"}`,
		"long number":       `{"id":12345678901234567890.12345678901234567890}`,
		"unicode":           "信令服务器：成功连接！ 🧊\u2028\u2029\ufeff",
		"NUL and controls":  "\x00\x01\x7f\u0085",
		"decomposed":        "e\u0301 \u00e9",
		"125 bytes":         strings.Repeat("a", 125),
		"126 bytes":         strings.Repeat("b", 126),
		"65,535 bytes":      strings.Repeat("c", 65535),
		"65,536 bytes":      strings.Repeat("d", 65536),
		"65,536 of unicode": strings.Repeat("界", 21845) + "!",
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			a.send(text)
			b.expect(text)
			c.expect(text)
		})
	}
	b.send("from b")
	a.expect("from b") // and none of its own before
	c.expect("from b")
}

func TestNoGreeting(t *testing.T) {
	_, url := start(t, testConfig())
	a := dial(t, url)
	b := dial(t, url)
	c := dial(t, url)
	c.Close()
	a.expectNothing(b)
	b.expectNothing(a)
}

func TestFragmentsArriveAsOneMessage(t *testing.T) {
	_, url := start(t, testConfig())
	a, b := dial(t, url), dial(t, url)
	a.raw(clientFrame(0x01, 2, "\xe4\xbd")) // a character cut in two
	a.raw(clientFrame(0x89, 4, "ping"))
	a.raw(clientFrame(0x00, 1, "\xa0"))
	a.raw(clientFrame(0x80, 3, "abc"))
	b.expect("你abc")
}

func TestRoomsApart(t *testing.T) {
	s, url := start(t, testConfig())
	paths := []string{"/", "/seed/a", "/seed/A", "/seed/" + strings.Repeat("x", 64), "/seed/-_9"}
	var first, second []*peer
	for _, path := range paths {
		first = append(first, dial(t, url+path))
		second = append(second, dial(t, url+path))
	}
	if n := s.hall.count(); n != len(paths) {
		t.Errorf("there are %d rooms, want %d", n, len(paths))
	}
	for i, p := range first {
		p.send(paths[i])
	}
	for i, p := range second {
		p.expect(paths[i])
		p.expectNothing(first[i])
	}
}

// Whoever knows that it is connected gets what is sent from then on: membership
// begins before the answer to the upgrade.
func TestMemberFromTheStart(t *testing.T) {
	_, url := start(t, unlimited())
	a := dial(t, url)
	for i := range 200 {
		b := dial(t, url)
		text := fmt.Sprint(i)
		a.send(text)
		b.expect(text)
		b.Close()
	}
}

// TestOrder: what one sends arrives in its order, and all see one order.
func TestOrder(t *testing.T) {
	const senders, each = 4, 400 // more than a queue holds
	_, url := start(t, unlimited())
	var from []*peer
	for range senders {
		from = append(from, dial(t, url))
	}
	x, y := dial(t, url), dial(t, url)
	for i, p := range from {
		go func() {
			for n := range each {
				p.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, "%d %d", i, n))
			}
		}()
	}
	next := make([]int, senders)
	for range senders * each {
		_, text, err := x.read()
		if err != nil {
			t.Fatal(err)
		}
		var i, n int
		fmt.Sscan(string(text), &i, &n)
		if n != next[i] {
			t.Fatalf("of sender %d came %d, want %d", i, n, next[i])
		}
		next[i]++
		y.expect(string(text))
	}
}

// note is a message of the seed's clients.
type note struct {
	ID   string `json:"id,omitempty"`
	Type string `json:"type"`
	SDP  string `json:"sdp,omitempty"`
	ICE  string `json:"ice,omitempty"`
}

func (n note) String() string {
	b, err := json.Marshal(n)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestSeedFlow is one broadcaster and two viewers, as the pages of the seed do
// it: join, offer and candidates, answer, each told apart by id alone.
func TestSeedFlow(t *testing.T) {
	_, url := start(t, testConfig())
	host := dial(t, url)
	viewers := map[string]*peer{"m1abc": dial(t, url), "m2def": dial(t, url)}
	both := func(n note) {
		for _, v := range viewers {
			v.expect(n.String())
		}
	}
	for id, v := range viewers {
		join := note{ID: id, Type: "join"}
		v.send(join.String())
		host.expect(join.String())
		for other, w := range viewers {
			if other != id {
				w.expect(join.String())
			}
		}
		offer := note{ID: id, Type: "offer", SDP: "v=0\r\no=- 7093805778388360368 2 IN IP4 127.0.0.1\r\n"}
		host.send(offer.String())
		both(offer)
		for n := range 10 {
			ice := note{ID: id, Type: "ice", ICE: fmt.Sprintf(`{"candidate":"candidate:%d 1 udp 2113937151 x.local 5000%d typ host"}`, n, n)}
			host.send(ice.String())
			both(ice)
		}
		answer := note{ID: id, Type: "answer", SDP: "v=0\r\na=recvonly\r\n"}
		v.send(answer.String())
		host.expect(answer.String())
		for other, w := range viewers {
			if other != id {
				w.expect(answer.String())
			}
		}
	}
	host.Close()
	for _, v := range viewers {
		for _, w := range viewers {
			if v != w {
				w.expectNothing(v)
			}
		}
	}
}

func TestAbruptEnd(t *testing.T) {
	s, url := start(t, testConfig())
	a, b := dial(t, url), dial(t, url)
	gone := map[string]func(p *peer){
		"FIN":         func(p *peer) { p.NetConn().(interface{ CloseWrite() error }).CloseWrite(); innermost(p).Close() },
		"RST":         func(p *peer) { innermost(p).SetLinger(0); innermost(p).Close() },
		"close frame": func(p *peer) { p.raw(clientFrame(0x88, 2, "\x03\xe8")) },
		"half a frame": func(p *peer) {
			p.raw(clientFrame(0x81, 100, "half"))
			innermost(p).Close()
		},
	}
	for name, end := range gone {
		t.Run(name, func(t *testing.T) {
			p := dial(t, url)
			end(p)
			waitFor(t, "the socket to be gone", func() bool { return s.gate.sockets() == 2 && len(s.hall.all()) == 2 })
			a.send("after " + name)
			b.expect("after " + name)
		})
	}
}

func TestCloseIsAnswered(t *testing.T) {
	_, url := start(t, testConfig())
	for _, code := range []int{1000, 1001, 3000, 4999} {
		p := dial(t, url)
		p.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, "bye"), farFuture())
		p.expectClose(code)
	}
	p := dial(t, url)
	p.raw(clientFrame(0x88, 0, ""))
	p.expectClose(websocket.CloseNoStatusReceived)
}

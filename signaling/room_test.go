package signaling

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// guest is a peer of a room and its welcome.
type guest struct {
	*peer
	welcome
}

// enter connects to a room and takes the welcome.
func enter(t testing.TB, url string) *guest {
	t.Helper()
	return welcomed(t, dial(t, url))
}

func welcomed(t testing.TB, p *peer) *guest {
	t.Helper()
	g := &guest{peer: p}
	_, text, err := p.read()
	if err != nil {
		t.Fatalf("waiting for the welcome: %v", err)
	}
	if err := json.Unmarshal(text, &g.welcome); err != nil || g.Type != typeWelcome {
		t.Fatalf("the first message is %s", text)
	}
	return g
}

// expectf is expect with a format.
func (p *peer) expectf(format string, args ...any) {
	p.t.Helper()
	p.expect(fmt.Sprintf(format, args...))
}

// expectError fails unless the next message is an error with this code about the
// message of that number.
func (p *peer) expectError(code string, number uint64) {
	p.t.Helper()
	_, text, err := p.read()
	var got failure
	if err != nil || json.Unmarshal(text, &got) != nil || got.Type != typeError || got.Code != code || got.Received != number || got.Message == "" {
		p.t.Fatalf("got %s, %v; want the error %s about message %d", text, err, code, number)
	}
}

// expectEnd fails unless there is an error and then a close with its code.
func (p *peer) expectEnd(no *refusal) {
	p.t.Helper()
	p.expectError(no.reason, 0)
	p.expectClose(no.code)
}

func TestRoom(t *testing.T) {
	s, url := start(t, testConfig())
	a := enter(t, url+"/ws/kitchen")
	if a.Room != "kitchen" || len(a.Peers) != 0 || a.Peers == nil || a.Resumed || a.Received != 0 || a.Resume == "" || !isID(a.ID) {
		t.Errorf("the welcome of the first is %+v", a.welcome)
	}
	b := enter(t, url+"/ws/kitchen")
	a.expectf(`{"seq":1,"type":"peer-joined","id":"%s"}`, b.ID)
	c := enter(t, url+"/ws/kitchen")
	a.expectf(`{"seq":2,"type":"peer-joined","id":"%s"}`, c.ID)
	b.expectf(`{"seq":1,"type":"peer-joined","id":"%s"}`, c.ID)
	if !slices.Equal(c.Peers, []string{a.ID, b.ID}) {
		t.Errorf("the third is told of %v", c.Peers)
	}
	elsewhere := enter(t, url+"/ws/attic")

	c.send(`{"type":"hello"}`)
	a.expectf(`{"seq":3,"from":"%s","type":"hello"}`, c.ID)
	b.expectf(`{"seq":2,"from":"%s","type":"hello"}`, c.ID)
	a.send(fmt.Sprintf(`{"to":"%s","type":"offer","sdp":"v=0"}`, c.ID))
	c.expectf(`{"seq":1,"from":"%s","to":"%s","type":"offer","sdp":"v=0"}`, a.ID, c.ID)
	b.send(fmt.Sprintf(`{"type":"echo","to":"%s"}`, b.ID))
	b.expectf(`{"seq":3,"from":"%s","type":"echo","to":"%s"}`, b.ID, b.ID)

	c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), farFuture())
	a.expectf(`{"seq":4,"type":"peer-left","id":"%s"}`, c.ID)
	b.expectf(`{"seq":4,"type":"peer-left","id":"%s"}`, c.ID)
	b.send(fmt.Sprintf(`{"type":"offer","to":"%s"}`, elsewhere.ID))
	b.expectError(codeUnknownPeer, 2)
	b.send(fmt.Sprintf(`{"type":"offer","to":"%s"}`, c.ID))
	b.expectError(codeUnknownPeer, 3)
	if n := s.hall.count(); n != 2 {
		t.Errorf("there are %d rooms, want 2", n)
	}
}

// TestRoomAndSeedApart: the same name is two places.
func TestRoomAndSeedApart(t *testing.T) {
	_, url := start(t, testConfig())
	seed, other := dial(t, url+"/seed/a"), dial(t, url+"/seed/a")
	in := enter(t, url+"/ws/a")
	seed.send(`{"type":"x"}`)
	other.expect(`{"type":"x"}`)
	in2 := enter(t, url+"/ws/a")
	in.expectf(`{"seq":1,"type":"peer-joined","id":"%s"}`, in2.ID)
}

// TestRelayedAsSent: between the braces nothing changes.
func TestRelayedAsSent(t *testing.T) {
	cfg := unlimited()
	_, url := start(t, cfg)
	a, b := enter(t, url+"/ws/r"), enter(t, url+"/ws/r")
	a.expectf(`{"seq":1,"type":"peer-joined","id":"%s"}`, b.ID)
	seq := 0
	for _, inside := range []string{
		`"type":"x"`,
		` "type" : "x" , "b":1,` + "\t" + `"a":1.0e+02,` + "\n" + ` "c":null `,
		`"type":"x","sdp":"v=0\r\no=- \u4f60\/ <>& 你"`,
		`"type":"x","n":12345678901234567890.12345678901234567890`,
		`"type":"x","From":1,"SEQ":2,"From ":3,"deep":{"from":1,"seq":2,"type":3,"type":4,"a":[{"}":"]"}]}`,
		`"type":"x","to ":"y","s":"\\\"}{","f":[],"e":{},"t":true`,
		`"\u0074ype":"x"`,
		`"type":"we\u006ccome!"`,
		`"type":""`,
		`"type":"x","big":"` + strings.Repeat("b", 60000) + `"`,
		`"type":"x",` + strings.Join(numbered(40), ","),
	} {
		for _, around := range [][2]string{{"", ""}, {" \t\r\n", "\n "}} {
			seq++
			a.send(around[0] + "{" + inside + "}" + around[1])
			b.expectf(`{"seq":%d,"from":"%s",%s}`, seq, a.ID, inside)
		}
	}
}

func numbered(n int) []string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = fmt.Sprintf(`"k%d":%d`, i, i)
	}
	return fields
}

// TestRefusedMessages: they are answered, counted, and passed on to nobody.
func TestRefusedMessages(t *testing.T) {
	_, url := start(t, unlimited())
	a, b := enter(t, url+"/ws/r"), enter(t, url+"/ws/r")
	a.expectf(`{"seq":1,"type":"peer-joined","id":"%s"}`, b.ID)
	table := []struct{ text, code string }{
		{``, codeBadMessage},
		{`hello`, codeBadMessage},
		{`[]`, codeBadMessage},
		{`"type"`, codeBadMessage},
		{`null`, codeBadMessage},
		{`{}`, codeBadMessage},
		{`{"type":"x"`, codeBadMessage},
		{`{"type":"x"}{}`, codeBadMessage},
		{`{"type":"x",}`, codeBadMessage},
		{`{'type':'x'}`, codeBadMessage},
		{`{"type":1}`, codeBadMessage},
		{`{"type":null}`, codeBadMessage},
		{`{"Type":"x"}`, codeBadMessage},
		{`{"deep":{"type":"x"}}`, codeBadMessage},
		{`{"type":"x","to":1}`, codeBadMessage},
		{`{"type":"x","to":null}`, codeBadMessage},
		{strings.Repeat(`[`, 20000), codeBadMessage},
		{`{"type":"x","a":` + strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000) + `}`, codeBadMessage},
		{`{"type":"x","type":"x"}`, codeReservedField},
		{`{"type":"x","a":1,"\u0061":2}`, codeReservedField},
		{`{"type":"x","to":"a","to":"b"}`, codeReservedField},
		{`{"type":"x",` + strings.Join(numbered(40), ",") + `,"k39":0}`, codeReservedField},
		{`{"type":"x","from":"me"}`, codeReservedField},
		{`{"type":"x","fr\u006fm":"me"}`, codeReservedField},
		{`{"seq":1,"type":"x"}`, codeReservedField},
		{`{"type":"welcome"}`, codeReservedType},
		{`{"type":"peer-joined","id":"x"}`, codeReservedType},
		{`{"type":"peer-left"}`, codeReservedType},
		{`{"type":"ice-servers"}`, codeReservedType},
		{`{"type":"err\u006fr"}`, codeReservedType},
		{`{"type":"x","to":"nobody"}`, codeUnknownPeer},
		{`{"type":"x","to":""}`, codeUnknownPeer},
	}
	for i, row := range table {
		a.send(row.text)
		a.expectError(row.code, uint64(i+1))
	}
	a.send(`{"type":"end"}`)
	b.expectf(`{"seq":1,"from":"%s","type":"end"}`, a.ID)
}

func TestRoomFull(t *testing.T) {
	cfg := testConfig()
	cfg.Signaling.MaxPeers = 2
	s, url := start(t, cfg)
	a, b := enter(t, url+"/ws/r"), enter(t, url+"/ws/r")
	a.expectf(`{"seq":1,"type":"peer-joined","id":"%s"}`, b.ID)
	dial(t, url+"/ws/r").expectEnd(refuseRoomFull)
	enter(t, url+"/ws/other")
	a.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1001, ""), farFuture())
	b.expectf(`{"seq":1,"type":"peer-left","id":"%s"}`, a.ID)
	c := enter(t, url+"/ws/r")
	b.expectf(`{"seq":2,"type":"peer-joined","id":"%s"}`, c.ID)
	if n := refused(s, refuseRoomFull); n != 1 {
		t.Errorf("room-full was counted %d times", n)
	}
}

// TestRoomEnds: who breaks a rule is told why, and has left at once.
func TestRoomEnds(t *testing.T) {
	cfg := testConfig()
	cfg.Signaling.Messages.Rate, cfg.Signaling.Messages.Burst = 0.001, 20
	s, url := start(t, cfg)
	watch := enter(t, url+"/ws/r")
	seq := 0
	for _, row := range []struct {
		bytes []byte
		no    *refusal
	}{
		{clientFrame(0x82, 3, "abc"), refuseBinary},
		{clientFrame(0x81, 65537, ""), refuseTooBig},
		{clientFrame(0x81, 1, "\xff"), refuseNotUTF8},
		{clientFrame(0xc1, 3, "abc"), refuseBadFrame},
		{[]byte(strings.Repeat(string(clientFrame(0x89, 0, "")), 21)), refuseRate},
	} {
		p := enter(t, url+"/ws/r")
		p.raw(row.bytes)
		p.expectEnd(row.no)
		watch.expectf(`{"seq":%d,"type":"peer-joined","id":"%s"}`, seq+1, p.ID)
		watch.expectf(`{"seq":%d,"type":"peer-left","id":"%s"}`, seq+2, p.ID)
		seq += 2
	}
	go s.Close(t.Context())
	watch.expectEnd(refuseClosing)
}

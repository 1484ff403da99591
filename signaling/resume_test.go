package signaling

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// back is the path with which g comes back, having seq.
func (g *guest) back(seq uint64) string {
	return fmt.Sprintf("/ws/%s?resume=%s&seq=%d", g.Room, g.Resume, seq)
}

// cut ends the connection as a network does: without a word.
func (p *peer) cut() { innermost(p).SetLinger(0); innermost(p).Close() }

// pair is two peers of one room, the first of which knows of the second.
func pair(t *testing.T, url string) (a, b *guest) {
	t.Helper()
	a = enter(t, url+"/ws/r")
	b = enter(t, url+"/ws/r")
	a.expectf(`{"seq":1,"type":"peer-joined","id":"%s"}`, b.ID)
	return a, b
}

// TestResume: the same id, nothing lost, nothing twice, and the others see
// nothing of the gap.
func TestResume(t *testing.T) {
	s, url := start(t, testConfig())
	a, b := pair(t, url)
	a.send(`{"type":"n","n":1}`)
	a.send(`{"type":"n","n":2}`)
	b.send(`{"type":"m","m":1}`)
	b.expectf(`{"seq":1,"from":"%s","type":"n","n":1}`, a.ID)
	a.expectf(`{"seq":2,"from":"%s","type":"m","m":1}`, b.ID)
	b.cut() // with the second unread
	waitFor(t, "the cut to be noticed", func() bool { return s.gate.sockets() == 1 })
	a.send(`{"type":"n","n":3}`)
	a.send(fmt.Sprintf(`{"type":"n","n":4,"to":"%s"}`, b.ID))
	late := enter(t, url+"/ws/r")
	a.expectf(`{"seq":3,"type":"peer-joined","id":"%s"}`, late.ID)

	again := enter(t, url+b.back(1))
	if again.ID != b.ID || !again.Resumed || again.Received != 1 || again.Resume != b.Resume || fmt.Sprint(again.Peers) != fmt.Sprint([]string{a.ID, late.ID}) {
		t.Errorf("the welcome back is %+v", again.welcome)
	}
	again.expectf(`{"seq":2,"from":"%s","type":"n","n":2}`, a.ID)
	again.expectf(`{"seq":3,"from":"%s","type":"n","n":3}`, a.ID)
	again.expectf(`{"seq":4,"from":"%s","type":"n","n":4,"to":"%s"}`, a.ID, b.ID)
	again.expectf(`{"seq":5,"type":"peer-joined","id":"%s"}`, late.ID)
	a.send(`{"type":"n","n":5}`)
	again.expectf(`{"seq":6,"from":"%s","type":"n","n":5}`, a.ID)
	again.send(`{"type":"m","m":2}`)
	a.expectf(`{"seq":4,"from":"%s","type":"m","m":2}`, b.ID)
	if n := s.stats.resumed.Load(); n != 1 {
		t.Errorf("%d came back, want 1", n)
	}
}

// TestResumeTakesOver: the second connection with the token wins, however alive
// the first is.
func TestResumeTakesOver(t *testing.T) {
	cfg := testConfig()
	cfg.Signaling.MaxConnections, cfg.Signaling.ConnectionsPerAddress = 2, 2 // both are full
	s, url := start(t, cfg)
	a, b := pair(t, url)
	for round := range 3 {
		again := enter(t, url+b.back(uint64(round)))
		b.expectEnd(refuseTaken)
		a.send(`{"type":"n"}`)
		again.expectf(`{"seq":%d,"from":"%s","type":"n"}`, round+1, a.ID)
		again.send(`{"type":"m"}`)
		a.expectf(`{"seq":%d,"from":"%s","type":"m"}`, round+2, b.ID)
		b.peer = again.peer
		waitFor(t, "the first to be gone", func() bool { return s.gate.sockets() == 2 })
	}
}

// TestOvertakenAttempt: an attempt to come back that was long under way, and asks for
// more than its peer has needed since, ends nobody but itself.
func TestOvertakenAttempt(t *testing.T) {
	s, url := start(t, testConfig())
	a, b := pair(t, url)
	a.send(`{"type":"n"}`)
	b.expectf(`{"seq":1,"from":"%s","type":"n"}`, a.ID)
	again := enter(t, url+b.back(1))
	dial(t, url+b.back(0)).expectEnd(refuseResume)
	again.send(`{"type":"here"}`)
	a.expectf(`{"seq":2,"from":"%s","type":"here"}`, b.ID)
	if n := s.stats.resumed.Load(); n != 1 {
		t.Errorf("%d came back, want 1", n)
	}
}

// connected says whether it has a connection.
func (m *member) connected() bool {
	m.room.mu.Lock()
	defer m.room.mu.Unlock()
	return m.socket != nil
}

// TestResumeBeyondCaps: who has lost its place to others comes back all the same.
func TestResumeBeyondCaps(t *testing.T) {
	cfg := testConfig()
	cfg.Signaling.MaxConnections, cfg.Signaling.ConnectionsPerAddress = 2, 2
	s, url := start(t, cfg)
	a, b := pair(t, url)
	b.cut()
	waitFor(t, "the loss", func() bool { return s.gate.sockets() == 1 })
	dial(t, url+"/seed/elsewhere").send("here")
	waitFor(t, "another in its place", func() bool { return s.gate.sockets() == 2 })
	enter(t, url+b.back(0)).send(`{"type":"back"}`)
	a.expectf(`{"seq":2,"from":"%s","type":"back"}`, b.ID)
}

// TestResumeBeyondCapsEnds: one token does not open the box for any number of sockets.
func TestResumeBeyondCapsEnds(t *testing.T) {
	cfg := testConfig()
	cfg.Signaling.MaxConnections, cfg.Signaling.ConnectionsPerAddress = 4, 2
	s, url := start(t, cfg)
	_, b := pair(t, url)
	enter(t, url+b.back(0)) // the ones before linger, since nobody reads
	enter(t, url+b.back(0))
	dial(t, url+b.back(0)).expectClose(closeTooMany)
	if n := refused(s, refusePerAddress); n != 1 {
		t.Errorf("per-address was counted %d times, want 1", n)
	}
}

// TestManyLost: of one address, as many may be lost for a while as may be connected.
func TestManyLost(t *testing.T) {
	cfg := testConfig()
	cfg.Signaling.ConnectionsPerAddress, cfg.Signaling.MaxPeers = 3, 9
	s, url := start(t, cfg)
	a := enter(t, url+"/ws/r")
	seq := 0
	comes := func() *guest {
		p := enter(t, url+"/ws/r")
		seq++
		a.expectf(`{"seq":%d,"type":"peer-joined","id":"%s"}`, seq, p.ID)
		return p
	}
	isLost := func(p *guest) {
		p.cut()
		waitFor(t, "the loss", func() bool { return s.gate.sockets() == 1 })
	}
	lost := []*guest{comes(), nil, nil}
	isLost(lost[0])
	for i := range 2 {
		lost[1+i] = comes()
		isLost(lost[1+i])
	}
	for range 2 {
		fourth := comes()
		isLost(fourth)
		seq++
		a.expectf(`{"seq":%d,"type":"peer-left","id":"%s"}`, seq, fourth.ID)
	}
	back := enter(t, url+lost[0].back(uint64(seq)-1)) // and makes room for another
	fourth := comes()
	fourth.cut()
	back.send(`{"type":"n"}`)
	a.expectf(`{"seq":%d,"from":"%s","type":"n"}`, seq+1, back.ID)
	for _, p := range []*guest{lost[1], lost[2], fourth} {
		enter(t, url+p.back(0))
	}
}

// TestSlim: a peer that is here and says something keeps little for its return while
// too much is kept in all.
func TestSlim(t *testing.T) {
	s, url := start(t, unlimited())
	a, b := pair(t, url)
	m := s.hall.member(&door{room: "r", resume: b.Resume})
	kept := func() int64 {
		m.room.mu.Lock()
		defer m.room.mu.Unlock()
		return m.kept.bytes
	}
	text := strings.Repeat("x", 1000)
	for i := range 50 {
		a.send(`{"type":"` + text + `"}`)
		b.expectf(`{"seq":%d,"from":"%s","type":"%s"}`, i+1, a.ID, text)
	}
	say := func() {
		b.send(`{"type":"x","to":"` + b.ID + `"}`)
		b.read()
	}
	say()
	if n := kept(); n < 50_000 {
		t.Fatalf("%d bytes are kept", n)
	}
	s.kept.Add(s.tuning.keptAll)
	defer s.kept.Add(-s.tuning.keptAll)
	b.WriteControl(websocket.PongMessage, nil, farFuture())
	waitFor(t, "little to be kept", func() bool { return kept() <= s.tuning.keptLow })
	if n := s.kept.Load(); n > s.tuning.keptAll+2*s.tuning.keptLow {
		t.Errorf("%d bytes are counted", n)
	}
}

// TestRateAfterResume: the rate that holds when it comes back.
func TestRateAfterResume(t *testing.T) {
	s, url := start(t, unlimited())
	_, b := pair(t, url)
	m := s.hall.member(&door{room: "r", resume: b.Resume})
	b.cut()
	waitFor(t, "the loss", func() bool { return !m.connected() })
	s.Update(testConfig())
	enter(t, url+b.back(0))
	if got, want := m.limiter.Limit(), s.settings.Load().rate; got != want {
		t.Errorf("%v messages a second, want %v", got, want)
	}
}

// TestLateMessage: what is read from a connection after another has taken over was
// not counted in the welcome there, so it will be sent again.
func TestLateMessage(t *testing.T) {
	s, url := start(t, testConfig())
	a := enter(t, url+"/ws/r")
	old := s.hall.all()[0]
	again := enter(t, url+a.back(0))
	a.expectEnd(refuseTaken)
	old.member.receive(old, []byte(`{"type":"late"}`), soon)
	third := enter(t, url+again.back(0))
	if third.Received != 0 {
		t.Errorf("%d messages have been taken", third.Received)
	}
}

// TestLateTimer: the timer of a loss that was made good ends nobody, even if it
// could not be stopped any more.
func TestLateTimer(t *testing.T) {
	s, url := start(t, testConfig())
	a, b := pair(t, url)
	m := s.hall.member(&door{room: "r", resume: b.Resume})
	for range 2 {
		b.cut()
		waitFor(t, "the loss", func() bool { return !m.connected() })
		m.expire(m.losses - 1)
		b.peer = enter(t, url+b.back(0)).peer
		m.expire(m.losses)
	}
	b.send(`{"type":"still here"}`)
	a.expectf(`{"seq":2,"from":"%s","type":"still here"}`, b.ID)
}

// TestResumeLost: what can't be a peer of before.
func TestResumeLost(t *testing.T) {
	s, url := start(t, testConfig())
	a, b := pair(t, url)
	for name, path := range map[string]string{
		"no such token":     "/ws/r?resume=x&seq=0",
		"no such peer":      "/ws/r?resume=" + newID() + "." + strings.Repeat("A", 26) + "&seq=0",
		"no proof":          "/ws/r?resume=" + b.ID + "&seq=0",
		"another's proof":   "/ws/r?resume=" + b.ID + "." + a.Resume[idLength+1:] + "&seq=0",
		"another room":      strings.Replace(b.back(0), "/r?", "/other?", 1),
		"a room that lives": strings.Replace(b.back(0), "/r?", "/"+enter(t, url+"/ws/x").Room+"?", 1),
	} {
		t.Run(name, func(t *testing.T) { dial(t, url+path).expectEnd(refuseResume) })
	}
	b.send(`{"type":"still here"}`)
	a.expectf(`{"seq":2,"from":"%s","type":"still here"}`, b.ID)

	// A seq that was never sent: this is not the peer that it was, so it leaves, and
	// is told where it still is.
	dial(t, url+b.back(1)).expectEnd(refuseResume)
	a.expectf(`{"seq":3,"type":"peer-left","id":"%s"}`, b.ID)
	b.expectEnd(refuseResume)
	dial(t, url+b.back(0)).expectEnd(refuseResume)
	if n := refused(s, refuseResume); n != 9 {
		t.Errorf("resume-lost was counted %d times", n)
	}
}

// TestResumeBound: 256 KiB are kept; when that is not enough the peer is lost, and
// the others learn it at once.
func TestResumeBound(t *testing.T) {
	_, url := start(t, unlimited())
	text := strings.Repeat("x", 1000)
	for _, row := range []struct {
		messages int
		kept     bool
	}{{240, true}, {260, false}} {
		a, b := pair(t, url)
		b.cut()
		for range row.messages {
			a.send(`{"type":"n","text":"` + text + `"}`)
		}
		a.send(`{"type":"x","to":"nobody"}`)
		a.expectError(codeUnknownPeer, uint64(row.messages+1))
		if !row.kept {
			dial(t, url+b.back(0)).expectEnd(refuseResume)
			a.expectf(`{"seq":2,"type":"peer-left","id":"%s"}`, b.ID)
			continue
		}
		again := enter(t, url+b.back(0))
		for i := range row.messages {
			again.expectf(`{"seq":%d,"from":"%s","type":"n","text":"%s"}`, i+1, a.ID, text)
		}
		again.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), farFuture())
		a.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), farFuture())
	}
}

// TestManySmallOnesAreKept: the bound is bytes alone, however small the messages.
func TestManySmallOnesAreKept(t *testing.T) {
	const n = 4000
	_, url := start(t, unlimited())
	a, b := pair(t, url)
	b.cut()
	for range n {
		a.send(`{"type":"n"}`)
	}
	a.send(`{"type":"x","to":"nobody"}`)
	a.expectError(codeUnknownPeer, n+1)
	again := enter(t, url+b.back(0))
	for i := range n {
		again.expectf(`{"seq":%d,"from":"%s","type":"n"}`, i+1, a.ID)
	}
}

// TestWindow: until it ends nobody hears of the loss; then the peer has left.
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := unlimited()
		s := New(cfg, quiet())
		a, b := welcomed(t, pipeTo(t, s, "/ws/r")), welcomed(t, pipeTo(t, s, "/ws/r"))
		a.expectf(`{"seq":1,"type":"peer-joined","id":"%s"}`, b.ID)
		a.SetReadDeadline(time.Time{})
		heard := make(chan string, 9)
		go func() {
			for {
				_, text, err := a.ReadMessage()
				if err != nil {
					return
				}
				heard <- string(text)
			}
		}()
		b.NetConn().Close()
		synctest.Wait()
		time.Sleep(cfg.Signaling.Resume - time.Millisecond)
		b = welcomed(t, pipeTo(t, s, b.back(0)))
		time.Sleep(cfg.Signaling.Resume) // the first loss does not count any more
		b.NetConn().Close()
		synctest.Wait()
		begin := time.Now()
		if text := <-heard; text != fmt.Sprintf(`{"seq":2,"type":"peer-left","id":"%s"}`, b.ID) {
			t.Errorf("the other is told %s", text)
		}
		if gap := time.Since(begin); gap != cfg.Signaling.Resume {
			t.Errorf("peer-left came after %v, want %v", gap, cfg.Signaling.Resume)
		}
		pipeTo(t, s, b.back(0)).expectEnd(refuseResume)
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
		checkEmpty(t, s)
	})
}

// TestCloseEndsWindows: a server that closes waits for nobody to come back.
func TestCloseEndsWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(unlimited(), quiet())
		p := welcomed(t, pipeTo(t, s, "/ws/r"))
		p.NetConn().Close()
		synctest.Wait()
		begin := time.Now()
		if err := s.Close(context.Background()); err != nil || time.Since(begin) != 0 {
			t.Errorf("closing: %v after %v", err, time.Since(begin))
		}
		checkEmpty(t, s)
	})
}

// TestWithoutResume: with signaling.resume at 0 a loss is the end at once.
func TestWithoutResume(t *testing.T) {
	cfg := testConfig()
	cfg.Signaling.Resume = 0
	_, url := start(t, cfg)
	a, b := pair(t, url)
	b.cut()
	a.expectf(`{"seq":2,"type":"peer-left","id":"%s"}`, b.ID)
	dial(t, url+b.back(0)).expectEnd(refuseResume)
}

// TestFarewell: a close frame of 1000, 1001 or without a code is one; others are
// not.
func TestFarewell(t *testing.T) {
	_, url := start(t, testConfig())
	a := enter(t, url+"/ws/r")
	seq := 0
	for _, row := range []struct {
		payload string
		stays   bool
	}{{"\x03\xe8", false}, {"\x03\xe9", false}, {"", false}, {"\x0f\xa0", true}} {
		b := enter(t, url+"/ws/r")
		a.expectf(`{"seq":%d,"type":"peer-joined","id":"%s"}`, seq+1, b.ID)
		b.raw(clientFrame(0x88, uint64(len(row.payload)), row.payload))
		if row.stays {
			enter(t, url+b.back(0))
			continue
		}
		a.expectf(`{"seq":%d,"type":"peer-left","id":"%s"}`, seq+2, b.ID)
		seq += 2
	}
}

// TestLimiterComesBack: a peer gets no new burst of messages by coming back.
func TestLimiterComesBack(t *testing.T) {
	cfg := testConfig()
	cfg.Signaling.Messages.Rate, cfg.Signaling.Messages.Burst = 0.001, 20
	_, url := start(t, cfg)
	a, b := pair(t, url)
	for round := range 2 {
		for i := range 10 {
			b.send(`{"type":"n"}`)
			a.expectf(`{"seq":%d,"from":"%s","type":"n"}`, round*10+i+2, b.ID)
		}
		b.cut()
		b.peer = enter(t, url+b.back(0)).peer
	}
	b.send(`{"type":"n"}`)
	b.expectEnd(refuseRate)
}

// TestKeptBudget: while all keep much, each keeps little.
func TestKeptBudget(t *testing.T) {
	tn := defaultTuning()
	tn.kept, tn.keptAll, tn.keptLow = 10000, 20000, 1000
	s, url := serve(t, newServer(unlimited(), quiet(), tn))
	from := enter(t, url+"/ws/r")
	for range 9 {
		enter(t, url+"/ws/r").ignore()
	}
	text := `{"type":"n","text":"` + strings.Repeat("x", 100) + `"}`
	for range 200 {
		from.send(text)
	}
	from.send(`{"type":"x","to":"nobody"}`)
	for {
		_, text, err := from.read()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), codeUnknownPeer) {
			break
		}
	}
	if n := s.kept.Load(); n > tn.keptAll+10*tn.keptLow {
		t.Errorf("%d bytes are kept", n)
	}
}

// traveller is a client that loses its connection again and again, and does what
// docs/PROTOCOL.md says.
type traveller struct {
	t     *testing.T
	url   string
	g     *guest
	seq   uint64   // the last that it has
	sent  []string // from the first
	heard map[string]int
}

// travel sends n messages, with a cut before every fifth or so.
func (v *traveller) travel(n int, until func(v *traveller) bool) {
	for len(v.sent) < n || !until(v) {
		if len(v.sent) < n {
			text := fmt.Sprintf(`{"type":"n","n":%d}`, len(v.sent)+1)
			v.sent = append(v.sent, text)
			v.g.WriteMessage(websocket.TextMessage, []byte(text)) // it may be cut
		}
		if len(v.sent) < n && rand.IntN(5) == 0 {
			v.reconnect()
		}
		v.hear(len(v.sent) == n)
	}
}

func (v *traveller) reconnect() {
	switch rand.IntN(3) {
	case 0:
		v.g.cut()
	case 1:
		innermost(v.g.peer).Close()
	} // else the first is still there
	again := enter(v.t, v.url+v.g.back(v.seq))
	if again.ID != v.g.ID || !again.Resumed {
		v.t.Errorf("came back as %+v", again.welcome)
	}
	v.g.peer = again.peer
	for _, text := range v.sent[again.Received:] {
		v.g.WriteMessage(websocket.TextMessage, []byte(text))
	}
}

// hear takes one message, if one comes soon.
func (v *traveller) hear(wait bool) {
	if !wait && rand.IntN(2) == 0 {
		return
	}
	_, text, err := v.g.read()
	if err != nil {
		v.reconnect()
		return
	}
	var m struct {
		Seq  uint64
		From string
		N    int
	}
	if err := json.Unmarshal(text, &m); err != nil {
		v.t.Errorf("%s: %v", text, err)
	}
	if m.Seq != v.seq+1 {
		v.t.Errorf("seq %d follows %d", m.Seq, v.seq)
	}
	v.seq = m.Seq
	if m.From != "" {
		if v.heard[m.From]++; m.N != v.heard[m.From] {
			v.t.Errorf("of %s came %d, want %d", m.From, m.N, v.heard[m.From])
		}
	}
}

// TestNothingLostNothingTwice: three peers talk to each other while their
// connections are cut at random.
func TestNothingLostNothingTwice(t *testing.T) {
	const each = 150
	s, url := start(t, unlimited())
	var all []*traveller
	for range 3 {
		all = append(all, &traveller{t: t, url: url, g: enter(t, url+"/ws/r"), heard: map[string]int{}})
	}
	var wg sync.WaitGroup
	for _, v := range all {
		wg.Go(func() {
			v.travel(each, func(v *traveller) bool {
				total := 0
				for _, n := range v.heard {
					total += n
				}
				return total == 2*each
			})
		})
	}
	wg.Wait()
	t.Logf("%d came back", s.stats.resumed.Load())
	if s.stats.resumed.Load() < 10 {
		t.Error("hardly any connection was cut")
	}
}

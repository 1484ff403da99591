package turnserver

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v2"

	"icebox/config"
)

func TestBinding(t *testing.T) {
	s := startServer(t, nil)
	for _, network := range []string{"udp", "tcp"} {
		c := dial(t, s, network)
		m := c.exchange(stun.NewType(stun.MethodBinding, stun.ClassRequest))
		addr, ok := readXORAddress(rawAttribute(m, stun.AttrXORMappedAddress), m.raw)
		if !ok || addr.String() != c.conn.LocalAddr().String() {
			t.Errorf("%s: mapped address %v, want %v", network, addr, c.conn.LocalAddr())
		}
	}
}

// TestRelayToRelay has two clients of one box reach each other's relay address,
// each over both transports, by channel and by indication.
func TestRelayToRelay(t *testing.T) {
	s := startServer(t, nil)
	for _, networks := range [][2]string{{"udp", "udp"}, {"udp", "tcp"}, {"tcp", "udp"}, {"tcp", "tcp"}} {
		t.Run(strings.Join(networks[:], " to "), func(t *testing.T) {
			a, b := dial(t, s, networks[0]), dial(t, s, networks[1])
			ra, rb := a.allocate(), b.allocate()
			wantCode(t, a.bind(0x4001, rb), 0)
			wantCode(t, b.permit(ra), 0)
			for _, size := range []int{0, 1, 2, 3, 4, 1200, 1201, 60000} {
				payload := randomBytes(size)
				a.sendChannel(0x4001, payload)
				m := new(message)
				if err := m.parse(b.read(patience)); err != nil {
					t.Fatal(size, err)
				}
				from, _ := m.peerAddress()
				if from != ra || !bytes.Equal(m.value(attrData), payload) {
					t.Fatalf("%d bytes: %d came from %v, want %v", size, len(m.value(attrData)), from, ra)
				}
				b.sendIndication(ra, payload)
				got := a.read(patience)
				if len(got) < 4 || binary.BigEndian.Uint16(got) != 0x4001 || !bytes.Equal(got[4:], payload) {
					t.Fatalf("%d bytes: got %d back", size, len(got))
				}
			}
		})
	}
}

func TestNoPermissionNoPacket(t *testing.T) {
	s := startServer(t, nil)
	a, b := dial(t, s, "udp"), dial(t, s, "udp")
	ra, rb := a.allocate(), b.allocate()
	wantCode(t, a.permit(rb), 0)
	a.sendIndication(rb, []byte("not asked for"))
	if p := b.read(200 * time.Millisecond); p != nil {
		t.Fatal("a peer without permission was heard")
	}
	wantCode(t, b.permit(ra), 0)
	a.sendIndication(rb, []byte("asked for"))
	if p := b.read(patience); !bytes.Contains(p, []byte("asked for")) {
		t.Fatal("a peer with permission was not heard")
	}
}

// TestClock lets time pass on the server's own clock.
func TestClock(t *testing.T) {
	s := startServer(t, nil)
	a, b := dial(t, s, "udp"), dial(t, s, "udp")
	ra, rb := a.allocate(), b.allocate()
	wantCode(t, a.bind(0x4001, rb), 0)
	wantCode(t, b.permit(ra), 0)
	passes := func() bool {
		t.Helper()
		wantCode(t, b.permit(ra), 0)
		a.sendChannel(0x4001, []byte("x"))
		return b.read(200*time.Millisecond) != nil
	}
	refresh := func() {
		t.Helper()
		wantCode(t, a.request(stun.MethodRefresh, lifetime(time.Hour)), 0)
		wantCode(t, b.request(stun.MethodRefresh, lifetime(time.Hour)), 0)
	}
	skip := func(d time.Duration) { s.clock.skew.Add(int64(d)) }
	refresh()
	if !passes() {
		t.Fatal("nothing passes at the start")
	}
	skip(299 * time.Second)
	if !passes() {
		t.Error("the permission ended before 300 s")
	}
	skip(2 * time.Second)
	if passes() {
		t.Error("the permission goes on after 300 s, though the channel lives")
	}
	wantCode(t, a.permit(rb), 0)
	if !passes() {
		t.Error("the permission does not come back")
	}
	skip(297 * time.Second)
	wantCode(t, a.permit(rb), 0)
	if !passes() {
		t.Error("the channel ended before 600 s")
	}
	skip(3 * time.Second)
	if passes() {
		t.Error("the channel goes on after 600 s, though the permission lives")
	}
	other := netip.AddrPortFrom(rb.Addr(), ra.Port())
	wantCode(t, a.bind(0x4001, other), stun.CodeBadRequest)
	skip(295 * time.Second)
	wantCode(t, a.bind(0x4001, other), stun.CodeBadRequest)
	skip(6 * time.Second)
	wantCode(t, a.bind(0x4001, other), 0)
	wantCode(t, a.bind(0x4002, rb), 0)
	wantCode(t, b.permit(ra), 0)
	a.sendChannel(0x4002, []byte("y"))
	if b.read(patience) == nil {
		t.Error("a new channel to the old peer does not pass")
	}
	refresh()
	skip(3601 * time.Second)
	wantCode(t, a.request(stun.MethodRefresh), stun.CodeStaleNonce)
	a.nonce, b.nonce = nil, nil
	wantCode(t, a.request(stun.MethodRefresh), stun.CodeAllocMismatch)
	eventually(t, "no session is left", func() bool { return len(s.Sessions()) == 0 })
}

// TestKeep: pion is asked again long before its own timers fire.
func TestKeep(t *testing.T) {
	s := startServer(t, nil)
	dial(t, s, "udp").allocate(lifetime(time.Hour))
	x := sessionOf(t, s)
	before := x.asked.get()
	s.clock.skew.Add(int64(engineKeep + time.Second))
	s.sessions.sweepOnce(true)
	if x.asked.get() == before || x.over() {
		t.Error("the session was not kept")
	}
}

// TestEndAtOnce: what has ended from outside passes nothing more.
func TestEndAtOnce(t *testing.T) {
	ends := map[string]func(*Server){
		"by ID":   func(s *Server) { s.End(1) },
		"by user": func(s *Server) { s.EndUser("admin") },
		"user removed": func(s *Server) {
			s.Update(testConfig(func(c *config.Config) { c.TURN.Users = c.TURN.Users[1:] }))
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, nil)
			a := dial(t, s, "udp")
			ra := a.allocate()
			b := dial(t, s, "udp")
			b.user, b.pass = "bob", "b"
			rb := b.allocate()
			wantCode(t, a.bind(0x4001, rb), 0)
			wantCode(t, b.permit(ra), 0)
			end(s)
			a.sendChannel(0x4001, []byte("late"))
			if b.read(200*time.Millisecond) != nil {
				t.Error("a packet passed after the end")
			}
			if got := s.Sessions(); len(got) != 1 || got[0].User != "bob" {
				t.Errorf("sessions left: %+v", got)
			}
		})
	}
}

// TestRevoked: whose password or secret is another now is not heard any more, and nobody
// else notices.
func TestRevoked(t *testing.T) {
	s := startServer(t, nil)
	as := func(user, pass string) *testClient {
		c := dial(t, s, "udp")
		c.user, c.pass = user, pass
		c.allocate()
		return c
	}
	user, pass := MintUser("0123456789abcdef", "bob", time.Now().Add(time.Hour))
	admin, bob, rest := as("admin", "secret"), as("bob", "b"), as(user, pass)
	left := func(want ...string) {
		t.Helper()
		var got []string
		for _, x := range s.Sessions() {
			_, name, _ := strings.Cut(x.User, ":")
			got = append(got, cmp.Or(name, x.User))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("sessions of %q, want %q", got, want)
		}
	}
	update := func(change func(c *config.Config)) { s.Update(testConfig(change)) }

	update(func(c *config.Config) { c.TURN.Users[0].Password = "new" })
	wantCode(t, admin.request(stun.MethodRefresh), stun.CodeUnauthorized)
	left("bob", "user/bob")
	wantCode(t, bob.request(stun.MethodRefresh), 0)
	admin.pass = "new"
	admin.allocate()

	update(func(c *config.Config) { c.TURN.Users[0].Password, c.TURN.Secret = "new", "another" })
	wantCode(t, rest.request(stun.MethodRefresh), stun.CodeUnauthorized)
	left("admin", "bob")

	update(func(c *config.Config) { c.TURN.Users[0].Password, c.TURN.Realm = "new", "elsewhere" })
	update(func(c *config.Config) {
		c.TURN.Users[0].Password, c.TURN.Realm, c.Signaling.MaxPeers = "new", "elsewhere", 3
	})
	left("admin", "bob")
}

// TestGuessesLockNobodyOut: while somebody guesses passwords, time-limited credentials are
// still good at the same address.
func TestGuessesLockNobodyOut(t *testing.T) {
	s := startServer(t, nil)
	guesser := dial(t, s, "udp")
	guesser.exchange(stun.NewType(stun.MethodAllocate, stun.ClassRequest))
	guesser.pass = "guess"
	for range 10 {
		wantCode(t, guesser.request(stun.MethodAllocate, requestedUDP), stun.CodeUnauthorized)
	}
	guesser.write(stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)},
		guesser.signed([]stun.Setter{requestedUDP})...)...).Raw)
	if guesser.read(50*time.Millisecond) != nil {
		t.Fatal("the eleventh guess was answered")
	}
	other := dial(t, s, "udp")
	other.user, other.pass = MintUser("0123456789abcdef", "bob", time.Now().Add(time.Hour))
	other.nonce = append([]byte(nil), other.exchange(stun.NewType(stun.MethodAllocate, stun.ClassRequest)).value(attrNonce)...)
	allocateAtOnce(t, s, other)
}

// allocateAtOnce makes an allocation of which no request is left unanswered.
func allocateAtOnce(t *testing.T, s *Server, c *testClient) {
	t.Helper()
	before := s.guard.stats.unanswered.Load()
	c.allocate()
	if n := s.guard.stats.unanswered.Load() - before; n != 0 {
		t.Errorf("%d requests were left unanswered", n)
	}
}

// TestBlindGuesses: a nonce that is not fresh is no way to try passwords beyond the bound,
// and locks nobody out.
func TestBlindGuesses(t *testing.T) {
	s := startServer(t, nil)
	guesser := dial(t, s, "udp")
	try := func(pass string, want stun.ErrorCode) {
		t.Helper()
		guesser.pass, guesser.nonce = pass, []byte("invented")
		wantCode(t, guesser.exchange(stun.NewType(stun.MethodAllocate, stun.ClassRequest), guesser.signed([]stun.Setter{requestedUDP})...), want)
	}
	try("secret", stun.CodeStaleNonce)
	for range 10 {
		try("guess", stun.CodeUnauthorized)
	}
	try("guess", stun.CodeStaleNonce)
	try("secret", stun.CodeStaleNonce)
	allocateAtOnce(t, s, dial(t, s, "udp"))
}

// TestNoGuess: a wrong password of a time-limited user name locks nobody out either: it
// is old, and not a guess.
func TestNoGuess(t *testing.T) {
	s := startServer(t, nil)
	c := dial(t, s, "udp")
	c.user, c.pass = MintUser("guess", "bob", time.Now().Add(time.Hour))
	for range 3 * 10 {
		wantCode(t, c.request(stun.MethodAllocate, requestedUDP), stun.CodeUnauthorized)
	}
	c.user, c.pass = "admin", "secret"
	allocateAtOnce(t, s, c)
}

// TestDataBehindItsRequest: data that comes right after the request which lets it pass,
// before the answer, is not lost.
func TestDataBehindItsRequest(t *testing.T) {
	s := startServer(t, nil)
	b := dial(t, s, "udp")
	b.user, b.pass = "bob", "b"
	peer := b.allocate()
	a := dial(t, s, "udp")
	wantCode(t, b.permit(a.allocate()), 0)
	const rounds = 50
	for i := range rounds {
		a := dial(t, s, "udp")
		a.allocate()
		request, number := stun.MethodCreatePermission, channelNumber(0x4000)
		setters := []stun.Setter{peerSetter(peer)}
		if i%2 == 1 {
			request, setters = stun.MethodChannelBind, append(setters, number)
		}
		a.write(stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(request, stun.ClassRequest)}, a.signed(setters)...)...).Raw)
		if i%2 == 1 {
			a.sendChannel(0x4000, []byte("first"))
		} else {
			a.sendIndication(peer, []byte("first"))
		}
		if got := b.read(patience); !bytes.Contains(got, []byte("first")) {
			t.Fatalf("round %d: %q came", i, got)
		}
	}
	for _, x := range s.sessions.table.all() {
		eventually(t, "nothing to wait any more", func() bool { return x.atDesk.Load() == 0 })
	}
}

// TestDontFragmentWaitsForNothing: a Send indication that may not be fragmented is not
// queued behind a request: two goroutines would send by one relay socket, of which one
// changes how the other's packets leave.
func TestDontFragmentWaitsForNothing(t *testing.T) {
	s := startServer(t, nil)
	dial(t, s, "udp").allocate()
	x := sessionOf(t, s)
	for _, df := range []bool{false, true} {
		setters := []stun.Setter{stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication),
			peerSetter(netip.MustParseAddrPort("192.0.2.7:9")), stun.RawAttribute{Type: stun.AttrData}}
		if df {
			setters = append(setters, stun.RawAttribute{Type: stun.AttrDontFragment})
		}
		if got := x.lets(s.clock.now(), stun.MustBuild(setters...).Raw, new(message)); got != df {
			t.Errorf("DONT-FRAGMENT %t: it is decided now: %t", df, got)
		}
	}
}

// TestDeniedNow: a peer that the policy denies after a reload is silent at once.
// The peer is let in by hand, since loopback is never permitted.
func TestDeniedNow(t *testing.T) {
	s := startServer(t, nil)
	a := dial(t, s, "udp")
	a.allocate()
	x := sessionOf(t, s)
	p := &permission{addr: netip.MustParseAddr("192.0.2.7")}
	p.expires.set(s.clock.now().add(permissionLifetime))
	x.flows.Store(noFlows.withPermission(p))
	s.Update(testConfig(nil))
	if x.flows.Load().permission(p.addr) != nil {
		t.Error("the permission is still there")
	}
}

func TestQuotas(t *testing.T) {
	s := startServer(t, func(c *config.Config) {
		c.TURN.Limits.AllocationsPerUser = 2
		c.TURN.Limits.Allocations = 3
		c.TURN.Limits.Permissions = 2
		c.TURN.Limits.Channels = 1
	})
	alloc := func(user, pass string) (*testClient, *message) {
		c := dial(t, s, "udp")
		c.user, c.pass = user, pass
		return c, c.request(stun.MethodAllocate, requestedUDP)
	}
	a, m := alloc("admin", "secret")
	wantCode(t, m, 0)
	_, m = alloc("admin", "secret")
	wantCode(t, m, 0)
	_, m = alloc("admin", "secret")
	wantCode(t, m, stun.CodeAllocQuotaReached)
	_, m = alloc("bob", "b")
	wantCode(t, m, 0)
	_, m = alloc("bob", "b")
	wantCode(t, m, stun.CodeInsufficientCapacity)
	peer := func(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
	wantCode(t, a.permit(peer("1.1.1.1:1"), peer("1.1.1.1:2"), peer("1.1.1.2:1")), 0)
	wantCode(t, a.permit(peer("1.1.1.3:1")), stun.CodeInsufficientCapacity)
	wantCode(t, a.bind(0x4000, peer("1.1.1.1:1")), 0)
	wantCode(t, a.bind(0x4000, peer("1.1.1.1:1")), 0)
	wantCode(t, a.bind(0x4001, peer("1.1.1.1:2")), stun.CodeInsufficientCapacity)
	wantCode(t, a.request(stun.MethodRefresh, lifetime(0)), 0)
	_, m = alloc("admin", "secret")
	wantCode(t, m, 0)
}

// TestLimitsLowered: a session that has more than it could get now keeps it, and gets no
// more.
func TestLimitsLowered(t *testing.T) {
	s := startServer(t, nil)
	a := dial(t, s, "udp")
	a.allocate()
	first, second := netip.MustParseAddrPort("1.1.1.1:1"), netip.MustParseAddrPort("1.1.1.2:1")
	wantCode(t, a.permit(first), 0)
	wantCode(t, a.bind(0x4000, second), 0)
	s.Update(testConfig(func(c *config.Config) { c.TURN.Limits.Permissions, c.TURN.Limits.Channels = 1, 1 }))
	wantCode(t, a.permit(first, second), 0)
	wantCode(t, a.bind(0x4000, second), 0)
	wantCode(t, a.permit(netip.MustParseAddrPort("1.1.1.3:1")), stun.CodeInsufficientCapacity)
}

// TestReservation: the port after an even one is held for its token, counted,
// and let go.
func TestReservation(t *testing.T) {
	s := startServer(t, func(c *config.Config) { c.TURN.Relay.Ports = config.PortRange{Min: 20100, Max: 20103} })
	free := func() int { return s.sessions.relays.family[0].ports.available() }
	a := dial(t, s, "udp")
	m := a.request(stun.MethodAllocate, requestedUDP, stun.RawAttribute{Type: stun.AttrEvenPort, Value: []byte{0x80}})
	wantCode(t, m, 0)
	even := relayedAddress(t, m)
	if even.Port()%2 != 0 || free() != 2 {
		t.Fatalf("port %d, %d free", even.Port(), free())
	}
	token := stun.RawAttribute{Type: stun.AttrReservationToken, Value: rawAttribute(m, stun.AttrReservationToken)}
	b := dial(t, s, "udp")
	if odd := b.allocate(token); odd.Port() != even.Port()+1 {
		t.Errorf("the token gave port %d, want %d", odd.Port(), even.Port()+1)
	}
	wantCode(t, dial(t, s, "udp").request(stun.MethodAllocate, requestedUDP, token), stun.CodeInsufficientCapacity)
	wantCode(t, a.request(stun.MethodRefresh, lifetime(0)), 0)
	wantCode(t, b.request(stun.MethodRefresh, lifetime(0)), 0)
	eventually(t, "all ports are free", func() bool { return free() == 4 })

	c := dial(t, s, "udp")
	wantCode(t, c.request(stun.MethodAllocate, requestedUDP, stun.RawAttribute{Type: stun.AttrEvenPort, Value: []byte{0x80}}), 0)
	wantCode(t, c.request(stun.MethodRefresh, lifetime(0)), 0)
	eventually(t, "one port is held", func() bool { return free() == 3 })
	s.clock.skew.Add(int64(31 * time.Second))
	s.sessions.sweepOnce(false)
	if free() != 4 || s.sessions.accounts.total != 0 {
		t.Errorf("after 30 s %d ports are free, %d allocations counted", free(), s.sessions.accounts.total)
	}
}

// TestTimeLimited: the credential's end counts at Allocate alone.
func TestTimeLimited(t *testing.T) {
	s := startServer(t, nil)
	a := dial(t, s, "udp")
	a.user, a.pass = MintPeer("0123456789abcdef", "x:y", time.Now().Add(time.Second))
	a.allocate()
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(2100 * time.Millisecond)))
	wantCode(t, a.request(stun.MethodRefresh), 0)
	wantCode(t, a.request(stun.MethodRefresh, lifetime(0)), 0)
	wantCode(t, a.request(stun.MethodAllocate, requestedUDP), stun.CodeUnauthorized)
	user, pass, ok := s.Mint("bob", time.Hour)
	if !ok {
		t.Fatal("no credentials for bob")
	}
	a.user, a.pass = user, pass
	a.allocate()
	s.Update(testConfig(func(c *config.Config) { c.TURN.Users = c.TURN.Users[:1] }))
	if n := len(s.Sessions()); n != 0 {
		t.Errorf("%d sessions of a removed user's credentials are left", n)
	}
	wantCode(t, a.request(stun.MethodAllocate, requestedUDP), stun.CodeUnauthorized)
	if _, _, ok := s.Mint("nobody", time.Hour); ok {
		t.Error("credentials for nobody")
	}
}

func TestAuthenticate(t *testing.T) {
	s := startServer(t, nil)
	for _, c := range []struct {
		user, pass string
		want       bool
	}{{"admin", "secret", true}, {"admin", "Secret", false}, {"nobody", "", false}, {"", "", false}} {
		if got := s.Authenticate(c.user, c.pass); got != c.want {
			t.Errorf("%q with %q: %t", c.user, c.pass, got)
		}
	}
}

// TestStrangers get a bounded number of answers, and those who have
// authenticated get all.
func TestStrangers(t *testing.T) {
	s := startServer(t, func(c *config.Config) { c.TURN.Limits.Unauthenticated = config.Rate{Rate: 1, Burst: 10} })
	trusted := dial(t, s, "udp")
	trusted.allocate()
	c := dial(t, s, "udp")
	for range 50 {
		c.write(stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw)
	}
	answers := 0
	for c.read(200*time.Millisecond) != nil {
		answers++
	}
	if answers < 5 || answers > 11 {
		t.Errorf("%d answers of 50, want about 9", answers)
	}
	for range 50 {
		wantCode(t, trusted.request(stun.MethodRefresh), 0)
	}
}

// TestGuesses are slowed down, and the user's own 5-tuple is not.
func TestGuesses(t *testing.T) {
	s := startServer(t, nil)
	own := dial(t, s, "udp")
	own.allocate()
	c := dial(t, s, "udp")
	c.pass = "wrong"
	wantCode(t, c.request(stun.MethodAllocate, requestedUDP), stun.CodeUnauthorized)
	attrs := c.signed([]stun.Setter{requestedUDP})
	for range 40 {
		c.write(stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)}, attrs...)...).Raw)
	}
	answers := 0
	for c.read(200*time.Millisecond) != nil {
		answers++
	}
	if answers > 12 {
		t.Errorf("%d of 40 guesses were answered", answers)
	}
	wantCode(t, own.request(stun.MethodRefresh), 0)

	// Who has a password of his own may not try those of others, nor the one that has
	// come in its place.
	silent := func(what string) {
		t.Helper()
		own.write(stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(stun.MethodRefresh, stun.ClassRequest)}, own.signed(nil)...)...).Raw)
		if m := own.read(200 * time.Millisecond); m != nil {
			t.Errorf("%s was tried on a user's own 5-tuple: %v", what, m)
		}
	}
	user := own.user
	own.user, own.pass = "ann", "wrong"
	silent("another's password")
	s.Update(testConfig(func(c *config.Config) { c.TURN.Users[0].Password = "new" }))
	own.user = user
	silent("a new password")
}

// TestRequestsOfASession are bounded: many are answered, and not all.
func TestRequestsOfASession(t *testing.T) {
	s := startServer(t, nil)
	own, other := dial(t, s, "tcp"), dial(t, s, "udp")
	own.allocate()
	other.allocate()
	const all = 20_000
	request := stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(stun.MethodRefresh, stun.ClassRequest)}, own.signed(nil)...)...).Raw
	written := make(chan error, 1)
	began := time.Now()
	go func() {
		var err error
		for i := 0; i < all && err == nil; i++ {
			_, err = own.conn.Write(request)
		}
		written <- err
	}()
	answers := 0
	for own.read(time.Second) != nil {
		answers++
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	most := 4000 + int(time.Since(began)/time.Millisecond) + 1
	if answers < 4000 || answers > most {
		t.Errorf("%d of %d requests were answered, want 4000 to %d", answers, all, most)
	}
	wantCode(t, other.request(stun.MethodRefresh), 0)
}

func TestBandwidth(t *testing.T) {
	s := startServer(t, func(c *config.Config) { c.TURN.Limits.BandwidthPerUser = 100_000 })
	a, b := dial(t, s, "udp"), dial(t, s, "udp")
	ra, rb := a.allocate(), b.allocate()
	wantCode(t, a.bind(0x4001, rb), 0)
	wantCode(t, b.permit(ra), 0)
	for range 200 {
		a.sendChannel(0x4001, make([]byte, 1000))
	}
	received := 0
	for b.read(200*time.Millisecond) != nil {
		received++
	}
	// Each packet pays twice, for both users' sessions are admin's.
	if received < 20 || received > 45 {
		t.Errorf("%d packets of 1000 bytes passed, want about 32", received)
	}
}

// TestRatesRaised: what was used up under a small rate does not keep a larger one from
// being in force at once.
func TestRatesRaised(t *testing.T) {
	rates := func(bandwidth int64, strangers float64) func(*config.Config) {
		return func(c *config.Config) {
			c.TURN.Limits.BandwidthPerUser = bandwidth
			c.TURN.Limits.Unauthenticated = config.Rate{Rate: strangers, Burst: 10}
		}
	}
	s := startServer(t, rates(1000, 0.1))
	a, b, c := dial(t, s, "udp"), dial(t, s, "udp"), dial(t, s, "udp")
	ra, rb := a.allocate(), b.allocate()
	wantCode(t, a.bind(0x4001, rb), 0)
	wantCode(t, b.permit(ra), 0)
	for range 100 {
		a.sendChannel(0x4001, make([]byte, 1000))
		c.write(stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw)
	}
	for b.read(200*time.Millisecond) != nil || c.read(time.Millisecond) != nil {
	}
	s.Update(testConfig(rates(1_000_000, 1000)))
	a.sendChannel(0x4001, make([]byte, 1000))
	if b.read(time.Second) == nil {
		t.Error("no packet passes after the bandwidth was raised")
	}
	c.write(stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw)
	if c.read(time.Second) == nil {
		t.Error("strangers get no answer after their rate was raised")
	}
}

func TestDrain(t *testing.T) {
	s := startServer(t, nil)
	a := dial(t, s, "udp")
	a.allocate()
	done := make(chan error)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() { done <- s.Drain(ctx) }()
	eventually(t, "the server drains", s.sessions.draining.Load)
	wantCode(t, dial(t, s, "udp").request(stun.MethodAllocate, requestedUDP), stun.CodeInsufficientCapacity)
	wantCode(t, a.request(stun.MethodRefresh), 0)
	wantCode(t, a.request(stun.MethodRefresh, lifetime(0)), 0)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestStreamEnd: a session ends with its stream.
func TestStreamEnd(t *testing.T) {
	s := startServer(t, nil)
	c := dial(t, s, "tcp")
	c.allocate()
	c.conn.Close()
	eventually(t, "the session ends", func() bool { return len(s.Sessions()) == 0 })
}

func TestAddressInUse(t *testing.T) {
	s := startServer(t, nil)
	_, err := New(testConfig(func(c *config.Config) { c.TURN.Listen[0].Address = s.Addrs()[0].String() }), Options{})
	if err == nil || !strings.Contains(err.Error(), "turn.listen[0]") {
		t.Errorf("a second server on the same address: %v", err)
	}
}

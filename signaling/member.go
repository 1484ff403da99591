package signaling

import (
	"crypto/rand"
	"crypto/subtle"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// idLength is how long a peer's id is, in letters and digits of base32: 80 random
// bits, so that none is ever used twice.
const idLength = 16

// member is a peer of a room, from its welcome until it has left for good. Its
// connection can be lost and come back meanwhile.
type member struct {
	id      string
	secret  string // of its resume token
	host    string // that it asked for, for iceServers
	invited bool   // and so gets TURN credentials; others get some where guests do
	room    *room  // set by its add, once
	limiter *rate.Limiter

	// What follows is guarded by room.mu.
	socket  *socket     // nil while the connection is lost
	from    netip.Addr  // whom the last connection counted for
	losses  int         // of connections, to know the timer of the last
	window  *time.Timer // ends the member unless it comes back; nil: it is here
	renewal *time.Timer // of its credentials
	taken   uint64      // how many of its messages have been taken
	seq     uint64      // of the last message to it
	has     uint64      // the last seq that it had when it last came back
	kept    history     // the last messages to it
	gone    bool
}

func newMember(d *door, limiter *rate.Limiter) *member {
	return &member{id: newID(), secret: rand.Text(), host: d.host, invited: d.valid, limiter: limiter}
}

func newID() string { return rand.Text()[:idLength] }

// isID says whether a text looks like an id of a member.
func isID(text string) bool {
	return len(text) == idLength && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// token is what the member comes back with: its id and the proof.
func (m *member) token() string { return m.id + "." + m.secret }

// proves says whether a token is that of the member.
func (m *member) proves(token string) bool {
	return subtle.ConstantTimeCompare([]byte(m.token()), []byte(token)) == 1
}

// deliver numbers a frame, keeps it, and queues it where there is a connection.
// It waits for nobody. room.mu is held.
func (m *member) deliver(f *frame, w when) {
	if m.gone {
		return
	}
	s := m.room.server
	m.seq++
	it := item{frame: f, seq: m.seq}
	m.kept.add(it, s.tuning.keepBytes(s.kept.Load()), &s.kept)
	if m.socket != nil && !m.socket.send(it, w) {
		m.lose()
	}
}

// lose notes that the connection is lost. From now on there is a while to come
// back, unless too many of its address wait already. room.mu is held.
func (m *member) lose() {
	s := m.room.server
	set := s.settings.Load()
	m.socket = nil
	m.losses++
	loss, while := m.losses, set.resume
	if !s.gate.wait(m.from, set) {
		while = 0
	}
	m.window = s.after(while, func() { m.expire(loss) })
}

// endWait ends the wait for one that has come back or has left. room.mu is held.
func (m *member) endWait() {
	if m.window == nil {
		return
	}
	s := m.room.server
	s.cancel(m.window)
	s.gate.waited(m.from)
	m.window = nil
}

// expire ends a member that has not come back since its loss of that number.
func (m *member) expire(loss int) {
	r := m.room
	r.mu.Lock()
	late := m.gone || m.socket != nil || m.losses != loss
	if !late {
		r.remove(m)
	}
	r.mu.Unlock()
	if !late {
		r.server.parted(m)
	}
}

// bind gives the member its connection. room.mu is held.
func (m *member) bind(s *socket) {
	m.endWait()
	m.from = s.pass.address
	m.socket, s.member, s.courier = s, m, &m.room.courier
}

// slim lets go of most of what is kept for a member that is here, on that socket, while
// too much is kept for all: those who say nothing and are told nothing must not keep it
// for good.
func (m *member) slim(on *socket) {
	s := m.room.server
	if s.kept.Load() <= s.tuning.keptAll {
		return
	}
	m.room.mu.Lock()
	defer m.room.mu.Unlock()
	if m.socket == on {
		m.kept.cut(s.tuning.keptLow, &s.kept)
	}
}

// release lets go of all that the member holds. room.mu is held.
func (m *member) release() {
	s := m.room.server
	m.gone, m.socket = true, nil
	m.endWait()
	s.cancel(m.renewal)
	m.kept.drop(len(m.kept.items), &s.kept)
}

// after calls f after d. The call is waited for by Close like a goroutine.
func (s *Server) after(d time.Duration, f func()) *time.Timer {
	s.wg.Add(1)
	return time.AfterFunc(d, func() {
		defer s.wg.Done()
		f()
	})
}

// cancel keeps a call of after from being made, if it is not under way.
func (s *Server) cancel(t *time.Timer) {
	if t != nil && t.Stop() {
		s.wg.Done()
	}
}

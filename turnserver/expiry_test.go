package turnserver

import (
	"testing"
	"time"

	"github.com/pion/stun/v2"
)

// TestPermissionEnds: 300 s after it was given, a permission lets neither what
// the client sends in indications pass nor what the peer sends.
func TestPermissionEnds(t *testing.T) {
	// The one whose permission is not in question renews his.
	for name, renewing := range map[string]func(sender, receiver *testClient) *testClient{
		"Send": func(_, receiver *testClient) *testClient { return receiver },
		"Data": func(sender, _ *testClient) *testClient { return sender },
	} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, nil)
			a, b := dial(t, s, "udp"), dial(t, s, "udp")
			ra, rb := a.allocate(), b.allocate()
			wantCode(t, a.permit(rb), 0)
			wantCode(t, b.permit(ra), 0)
			s.clock.skew.Add(int64(permissionLifetime - time.Second))
			wantCode(t, renewing(a, b).permit(ra, rb), 0)
			a.sendIndication(rb, []byte("in time"))
			if b.read(patience) == nil {
				t.Error("the permission ended early")
			}
			s.clock.skew.Add(int64(2 * time.Second))
			a.sendIndication(rb, []byte("late"))
			if b.read(200*time.Millisecond) != nil {
				t.Error("the permission goes on after 300 s")
			}
		})
	}
}

// TestSessionEnds: when its time is over, nothing passes even before it is swept.
func TestSessionEnds(t *testing.T) {
	s := startServer(t, nil)
	a, b := dial(t, s, "udp"), dial(t, s, "udp")
	ra, rb := a.allocate(), b.allocate(lifetime(time.Hour))
	s.clock.skew.Add(int64(defaultLifetime - time.Minute))
	wantCode(t, a.permit(rb), 0)
	wantCode(t, b.permit(ra), 0)
	s.clock.skew.Add(int64(2 * time.Minute))
	a.sendIndication(rb, []byte("late"))
	if b.read(200*time.Millisecond) != nil {
		t.Error("a session that is over sends")
	}
}

// TestTokenEnds: a RESERVATION-TOKEN is good for 30 s.
func TestTokenEnds(t *testing.T) {
	for _, test := range []struct {
		after time.Duration
		want  stun.ErrorCode
	}{{29 * time.Second, 0}, {31 * time.Second, stun.CodeInsufficientCapacity}} {
		s := startServer(t, nil)
		m := dial(t, s, "udp").request(stun.MethodAllocate, requestedUDP, stun.RawAttribute{Type: stun.AttrEvenPort, Value: []byte{0x80}})
		wantCode(t, m, 0)
		token := stun.RawAttribute{Type: stun.AttrReservationToken, Value: rawAttribute(m, stun.AttrReservationToken)}
		s.clock.skew.Add(int64(test.after))
		wantCode(t, dial(t, s, "udp").request(stun.MethodAllocate, requestedUDP, token), test.want)
	}
}

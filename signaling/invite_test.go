package signaling

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"icebox/config"
)

const testSecret = "the secret of these tests"

// invited is testConfig with rooms for who is invited.
func invited() *config.Config {
	cfg := testConfig()
	cfg.Signaling.Access = "invite"
	cfg.TURN.Secret = testSecret
	return cfg
}

func TestInvite(t *testing.T) {
	s, url := start(t, invited())
	good := Invite(testSecret, "kitchen", time.Now().Add(time.Hour))
	if len(good) != 55 || strings.Trim(good, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("a token is %q", good)
	}
	enter(t, url+"/ws/kitchen?invite="+good)
	enter(t, url+"/ws/kitchen?invite="+s.Invite("kitchen", time.Hour))
	for name, row := range map[string]struct {
		token string
		no    *refusal
	}{
		"none":           {"", refuseNoInvite},
		"another room":   {Invite(testSecret, "attic", time.Now().Add(time.Hour)), refuseForeign},
		"its prefix":     {Invite(testSecret, "kitche", time.Now().Add(time.Hour)), refuseForeign},
		"another box":    {Invite("another secret", "kitchen", time.Now().Add(time.Hour)), refuseInvalid},
		"ended":          {Invite(testSecret, "kitchen", time.Now()), refuseExpired},
		"ended, foreign": {Invite(testSecret, "attic", time.Now()), refuseForeign},
		"no base64":      {"not-a-token!", refuseInvalid},
		"cut":            {good[:40], refuseInvalid},
		"longer":         {good + "AAAA", refuseInvalid},
		"empty key":      {inviter{}.make("kitchen", time.Now().Add(time.Hour)), refuseInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			before := refused(s, row.no)
			dial(t, url+"/ws/kitchen?invite="+row.token).expectEnd(row.no)
			if n := refused(s, row.no) - before; n != 1 {
				t.Errorf("%s was counted %d times", row.no.reason, n)
			}
		})
	}
	if n := s.hall.count(); n != 1 {
		t.Errorf("there are %d rooms", n)
	}
}

// TestInviteIsWhole: whatever bit is changed, the token is no good.
func TestInviteIsWhole(t *testing.T) {
	v := newInviter(testSecret)
	good := v.make("kitchen", time.Now().Add(time.Hour))
	if no := v.check(good, "kitchen", time.Now()); no != nil {
		t.Fatalf("a good token is refused: %s", no.reason)
	}
	b, _ := base64.RawURLEncoding.DecodeString(good)
	for i := range 8 * len(b) {
		b[i/8] ^= 1 << (i % 8)
		if no := v.check(base64.RawURLEncoding.EncodeToString(b), "kitchen", time.Now()); no != refuseInvalid {
			t.Errorf("with bit %d changed it is %v", i, no)
		}
		b[i/8] ^= 1 << (i % 8)
	}
}

// TestNoSecretNoInvite: a box without a secret lets nobody in, whatever the token.
func TestNoSecretNoInvite(t *testing.T) {
	v := newInviter("")
	for _, token := range []string{v.make("a", time.Now().Add(time.Hour)), Invite("", "a", time.Now().Add(time.Hour))} {
		if no := v.check(token, "a", time.Now()); no != refuseInvalid {
			t.Errorf("%v", no)
		}
	}
}

// TestInviteEnds: it lets in up to its last second; who is in stays.
func TestInviteEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(invited(), quiet())
		path := "/ws/r?invite=" + s.Invite("r", time.Minute)
		time.Sleep(time.Minute - time.Nanosecond)
		a := welcomed(t, pipeTo(t, s, path))
		time.Sleep(time.Nanosecond)
		pipeTo(t, s, path).expectEnd(refuseExpired)
		a.NetConn().Close()
		synctest.Wait()
		b := welcomed(t, pipeTo(t, s, a.back(0))) // needs none
		b.ignore()
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		checkEmpty(t, s)
	})
}

// TestOpenAccess: anybody may enter, with an invite that is no good too.
func TestOpenAccess(t *testing.T) {
	cfg := testConfig()
	cfg.TURN.Secret = testSecret
	s, url := start(t, cfg)
	enter(t, url+"/ws/r")
	enter(t, url+"/ws/r?invite=x")
	s.Update(invited())
	dial(t, url+"/ws/r").expectEnd(refuseNoInvite)
}

// TestNewSecretEndsInvites: and lets in who has one of the new.
func TestNewSecretEndsInvites(t *testing.T) {
	s, url := start(t, invited())
	old := s.Invite("r", time.Hour)
	cfg := invited()
	cfg.TURN.Secret = "a new secret"
	s.Update(cfg)
	dial(t, url+"/ws/r?invite="+old).expectEnd(refuseInvalid)
	enter(t, url+"/ws/r?invite="+s.Invite("r", time.Hour))
}

// TestNoCookies: a page of another site that lets a browser connect gets no
// further than the box's own rules: nothing that a browser adds by itself counts.
func TestNoCookies(t *testing.T) {
	s, url := start(t, invited())
	token := s.Invite("r", time.Hour)
	c, resp, err := dialer().Dial(url+"/ws/r", http.Header{
		"Origin":        {"https://evil.example"},
		"Cookie":        {"invite=" + token + "; resume=x"},
		"Authorization": {"Basic YWRtaW46MTIzNDU2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if len(resp.Cookies()) != 0 {
		t.Errorf("cookies are set: %v", resp.Cookies())
	}
	(&peer{t, c}).expectEnd(refuseNoInvite)
}

// TestTURNForWhom: with an invite, and without one where guests get TURN.
func TestTURNForWhom(t *testing.T) {
	for _, row := range []struct {
		access string
		guests bool
		invite bool
		relay  string
	}{
		{"invite", false, true, "true"},
		{"invite", true, true, "true"},
		{"open", false, false, "false"},
		{"open", false, true, "true"},
		{"open", true, false, "true"},
	} {
		cfg := invited()
		cfg.Signaling.Access, cfg.Signaling.GuestTURN = row.access, row.guests
		s, url := serve(t, newServer(cfg, withICE(), defaultTuning()))
		token := ""
		if row.invite {
			token = s.Invite("r", time.Hour)
		}
		g := enter(t, url+"/ws/r?invite="+token)
		if !strings.Contains(string(g.ICEServers), `"relay":`+row.relay) || !strings.Contains(string(g.ICEServers), g.ID) {
			t.Errorf("%+v: iceServers %s", row, g.ICEServers)
		}
		if again := enter(t, url+g.back(0)); string(again.ICEServers) != string(g.ICEServers) || again.TTL != g.TTL {
			t.Errorf("%+v: after coming back iceServers %s", row, again.ICEServers)
		}
	}
}

//go:build linux

package conformance

import "unicode/utf8"

// checkForm: what every answer has to be, whatever was asked.
func (c *client) checkForm(a *answer) {
	c.t.Helper()
	if a.class != success && a.class != failure {
		c.t.Errorf("the answer is no response: %v", a)
	}
	if (a.class == failure) != (a.code() >= 300 && a.code() < 700) {
		c.t.Errorf("class and error code do not agree: %v", a)
	}
	if v := a.value(attrErrorCode); a.class == failure && (len(v) < 4 || !utf8.Valid(v[4:])) {
		c.t.Errorf("ERROR-CODE is malformed: %x", v)
	}
	if a.has(attrFingerprint) {
		if err := a.checkFingerprint(); err != nil {
			c.t.Errorf("%v: %v", a, err)
		}
	}
}

// wantSuccess: a success that is signed with the user's key.
func (c *client) wantSuccess(a *answer) {
	c.t.Helper()
	if a.class != success {
		c.t.Fatalf("want success, got %v", a)
	}
	if err := a.checkIntegrity(c.user.key()); err != nil {
		c.t.Errorf("%v: %v", a, err)
	}
}

// wantRefused: an error of that code, signed since the request was authentic
// (RFC 8489 §9.2.4).
func (c *client) wantRefused(a *answer, code int) {
	c.t.Helper()
	if a.code() != code {
		c.t.Errorf("want %d, got %v", code, a)
		return
	}
	if err := a.checkIntegrity(c.user.key()); err != nil {
		c.t.Errorf("%d has to be signed: %v", code, err)
	}
}

// wantUnsigned: an error of that code to a request that did not authenticate.
func (c *client) wantUnsigned(a *answer, code int) {
	c.t.Helper()
	if a.code() != code {
		c.t.Errorf("want %d, got %v", code, a)
	}
	if a.has(attrIntegrity) {
		c.t.Errorf("%d is signed: %v", a.code(), a)
	}
}

// wantChallenge: an unsigned 401 or 438 with what the next request needs.
func (c *client) wantChallenge(a *answer, code int) {
	c.t.Helper()
	c.wantUnsigned(a, code)
	if got := string(a.value(attrRealm)); got != realm {
		c.t.Errorf("%d with REALM %q, want %q", a.code(), got, realm)
	}
	if n := len(a.value(attrNonce)); n == 0 || n > 763 {
		c.t.Errorf("%d with a NONCE of %d bytes", a.code(), n)
	}
}

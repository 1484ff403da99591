package turnserver

import (
	"bytes"

	"github.com/pion/stun/v2"
)

// challenge refuses with what the client needs to try again.
func challenge(r *request, code stun.ErrorCode) *refusal {
	return &refusal{code: code, attrs: []stun.Setter{
		stun.NewRealm(r.settings.credentials.realm),
		stun.NewNonce(r.guard.nonces.make(r.tuple, r.now)),
	}}
}

func checkIntegrityPresent(r *request) *refusal {
	if r.integrity != 0 {
		return nil
	}
	if !r.guard.mayAnswer(r) {
		return &refusal{silent: true}
	}
	return challenge(r, stun.CodeUnauthorized)
}

func checkComplete(r *request) *refusal {
	if r.has(attrUsername) && r.has(attrRealm) && r.has(attrNonce) {
		return nil
	}
	return refuse(stun.CodeBadRequest)
}

// checkNonce refuses a nonce that is not fresh with 438, or where the password
// is wrong too with 401. Who sends it may not be who he seems to be, so such
// failures count apart from guesses: past their bound, he is told of the nonce
// alone, and learns nothing of the password.
func checkNonce(r *request) *refusal {
	if r.guard.nonces.fresh(r.value(attrNonce), r.tuple, r.now) {
		return nil
	}
	failures := r.guard.blind.of(r.tuple.client.Addr())
	if failures.empty(r.now, guessCost, guessBurst) {
		return challenge(r, stun.CodeStaleNonce)
	}
	if _, ok := r.verify(); ok {
		return challenge(r, stun.CodeStaleNonce)
	}
	failures.take(r.now, guessCost, guessBurst)
	return challenge(r, stun.CodeUnauthorized)
}

// checkGuesses leaves requests unread from an address that has tried too many
// passwords, but for those of a user on a 5-tuple where he has shown the right one, and
// those with time-limited credentials: nobody guesses 160 bits, and whoever calls from
// a page has these, whatever others behind his router do.
func checkGuesses(r *request) *refusal {
	if r.guard.guesses.of(r.tuple.client.Addr()).empty(r.now, guessCost, guessBurst) && !r.timeLimited() && !r.proven() {
		return &refusal{silent: true}
	}
	return nil
}

// timeLimited says whether the user name is a time-limited one of this box.
func (r *request) timeLimited() bool {
	user, ok := r.settings.credentials.find(string(r.value(attrUsername)))
	return ok && !user.expires.IsZero()
}

// proven says whether the user has shown his password on this 5-tuple, and it is that
// still.
func (r *request) proven() bool {
	shown := &r.origin.user
	if shown.username == "" || shown.username != string(r.value(attrUsername)) {
		return false
	}
	now, ok := r.settings.credentials.find(shown.username)
	return ok && bytes.Equal(now.key, shown.key)
}

func checkPassword(r *request) *refusal {
	user, ok := r.verify()
	if ok {
		r.user, r.authenticated = user, true
		return nil
	}
	if user.expires.IsZero() {
		r.guard.guesses.of(r.tuple.client.Addr()).take(r.now, guessCost, guessBurst)
	}
	return challenge(r, stun.CodeUnauthorized)
}

// verify looks the user up and checks what his password has signed.
func (r *request) verify() (identity, bool) {
	c := r.settings.credentials
	user, ok := c.find(string(r.value(attrUsername)))
	return user, ok && r.signedWith(user.key) && string(r.value(attrRealm)) == c.realm
}

func checkSameUser(r *request) *refusal {
	if r.session == nil || r.session.user.username == r.user.username {
		return nil
	}
	return refuse(stun.CodeWrongCredentials)
}

func checkKnown(r *request) *refusal {
	if r.unknownLen == 0 {
		return nil
	}
	return &refusal{
		code:  stun.CodeUnknownAttribute,
		attrs: []stun.Setter{unknownAttributes(r.unknown[:r.unknownLen])},
	}
}

package web

import (
	"errors"
	"math"
	"net/http"
	"strconv"

	"icebox/config"
)

// What the API says when it gives nothing. The page knows them by their
// status, people by their words.
var (
	errSignIn   = statusError{http.StatusUnauthorized, "Sign in with a TURN user of this box."}
	errPassword = statusError{http.StatusUnauthorized, "The user or the password is wrong."}
	errAttempts = statusError{http.StatusTooManyRequests, "Too many wrong passwords from this address; try again in a moment."}
	errBadHost  = statusError{http.StatusBadRequest, "The Host header is neither a name nor an address."}
)

// refusal is an answer of /api/ice without credentials: the reason, and the STUN
// servers, which need none.
type refusal struct {
	Error string `json:"error"`
	ICE
}

// serveICE answers GET /api/ice.
func (s *Server) serveICE(w http.ResponseWriter, r *http.Request, cfg *config.Config) error {
	if err := readOnly(w, r); err != nil {
		return err
	}
	hosts, err := HostsOf(cfg, r.Host)
	if err != nil {
		return errBadHost
	}
	cred, err := s.credentials(r, cfg)
	ice := ICEServers(cfg, s.opt.TURN, hosts, cred, s.overTLS() && s.opt.TLS.Trusted())
	var refused statusError
	switch {
	case errors.As(err, &refused):
		challenge(w, r, err)
		return writeJSON(w, refused.status, refusal{refused.message, ice})
	case err != nil:
		return err
	}
	return writeJSON(w, http.StatusOK, ice)
}

// credentials makes those of the user who asks, or of a guest where guests get
// some. With an error, which is that of signIn, there are none.
func (s *Server) credentials(r *http.Request, cfg *config.Config) (Credentials, error) {
	ttl := cfg.TURN.CredentialTTL
	user, err := s.signIn(r)
	if err == errSignIn && cfg.Signaling.GuestsRelay() {
		name, pass := s.opt.Users.MintPeer(s.guests.id(clientAddr(r)), ttl)
		return Credentials{name, pass, ttl}, nil
	}
	if err != nil {
		return Credentials{}, err
	}
	name, pass, ok := s.opt.Users.Mint(user, ttl)
	if !ok {
		return Credentials{}, errPassword
	}
	return Credentials{name, pass, ttl}, nil
}

// signIn is the TURN user who asks. The error is the statusError that says why it
// is none.
func (s *Server) signIn(r *http.Request) (string, error) {
	user, password, ok := r.BasicAuth()
	if !ok {
		return "", errSignIn
	}
	check := func() bool { return s.opt.Users.Authenticate(user, password) }
	known, err := s.attempts.try(r.Context(), clientAddr(r), user, password, check)
	if err != nil {
		return "", errAttempts
	}
	if !known {
		return "", errPassword
	}
	return user, nil
}

// challenge adds what HTTP wants beside an error of signIn. A browser asks for a password
// in a window of its own when it sees WWW-Authenticate: the fetch of our pages,
// which have a form for it, does not get that header.
func challenge(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case err == errAttempts:
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(maxWait.Seconds()))))
	case r.Header.Get("X-Requested-With") == "" && r.Header.Get("Sec-Fetch-Dest") != "empty":
		w.Header().Set("WWW-Authenticate", `Basic realm="icebox", charset="UTF-8"`)
	}
}

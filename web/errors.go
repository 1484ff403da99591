package web

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
)

// statusError is an answer other than 200, with a sentence for who asked.
type statusError struct {
	status  int
	message string
}

func (e statusError) Error() string { return e.message }

var errNotFound = statusError{http.StatusNotFound, "There is nothing at this address."}

// answer runs handle and writes what it returns, here and nowhere else. A panic
// ends the request alone.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, handle func() error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		s.log.Error("a request panicked", "err", p, "stack", string(debug.Stack()))
		panic(http.ErrAbortHandler) // closes the connection, quietly
	}()
	err := handle()
	if err == nil {
		return
	}
	var e statusError
	if !errors.As(err, &e) {
		s.log.Error("a request failed", "err", err)
		e = statusError{http.StatusInternalServerError, "This went wrong in the box; its log says more."}
	}
	switch {
	case wantsJSON(r):
		writeJSON(w, e.status, map[string]string{"error": e.message})
	case e.status == http.StatusNotFound && strings.Contains(r.Header.Get("Accept"), "text/html"):
		s.assets.serveNotFound(w, r)
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(e.status)
		io.WriteString(w, e.message+"\n")
	}
}

func wantsJSON(r *http.Request) bool { return strings.Contains(r.URL.Path, "/api/") }

// writeJSON answers with v, never to be kept by a cache.
func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
	return nil
}

package web

import (
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"

	"github.com/gorilla/websocket"

	"icebox/config"
)

// serve answers everything on the signaling port.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	cfg := s.cfg.Load()
	if from := client(r, cfg); from != clientAddr(r) {
		r.RemoteAddr = netip.AddrPortFrom(from, 0).String() // for whoever counts by it
	}
	secure(w.Header(), cfg, r.Host)
	s.answer(w, r, func() error {
		if s.overTLS() && !overTLS(r) {
			return redirectToTLS(w, r)
		}
		return s.route(w, r, cfg)
	})
}

func (s *Server) route(w http.ResponseWriter, r *http.Request, cfg *config.Config) error {
	if outer := outerPath(cfg); outer != "" && r.URL.Path == outer {
		return redirectToFolder(w, r)
	}
	path := innerPath(cfg, r.URL.Path)
	name, isSeed := strings.CutPrefix(path, "/seed/")
	room, isRoom := strings.CutPrefix(path, "/ws/")
	upgrade := websocket.IsWebSocketUpgrade(r)
	switch {
	case path == "/" && upgrade:
		s.opt.Signaling.ServeSeed(w, r, "")
		return nil
	case isSeed && IsRoom(name):
		return s.serveSocket(w, r, name, upgrade, s.opt.Signaling.ServeSeed)
	case isRoom && IsRoom(room):
		return s.serveSocket(w, r, room, upgrade, s.opt.Signaling.ServeRoom)
	case path == "/api/ice":
		return s.serveICE(w, r, cfg)
	case path == "/api/rooms":
		return s.serveRooms(w, r, cfg)
	case path == "/healthz":
		return serveHealth(w, r)
	case path == "/client.js":
		return s.assets.serveClient(w, r)
	case strings.HasPrefix(path, "/assets/"):
		return s.assets.serveFile(w, r, strings.TrimPrefix(path, "/assets/"))
	}
	if page, ok := s.assets.pages[pageName(path, cfg)]; ok {
		return page.serve(w, r, "no-cache")
	}
	return errNotFound
}

// pageName is the name of the page at path.
func pageName(path string, cfg *config.Config) string {
	room, isRoom := strings.CutPrefix(path, "/r/")
	switch {
	case isRoom && IsRoom(room):
		return roomPage
	case path == "/" && cfg.Signaling.Access == "open":
		return openHome
	}
	return path
}

// outerPath is the path of public.url, without a slash at its end.
func outerPath(cfg *config.Config) string {
	outside, err := url.Parse(cfg.Public.URL)
	if err != nil {
		return ""
	}
	return strings.TrimRight(outside.Path, "/")
}

// innerPath is path without the one of public.url, which a proxy in front of
// the box may have left in place.
func innerPath(cfg *config.Config, path string) string {
	if inner, ok := strings.CutPrefix(path, outerPath(cfg)+"/"); ok {
		return "/" + inner
	}
	return path
}

// redirectToFolder adds the slash without which the links of a page would lead
// beside it.
func redirectToFolder(w http.ResponseWriter, r *http.Request) error {
	if err := readOnly(w, r); err != nil {
		return err
	}
	folder := url.URL{Path: "./" + path.Base(r.URL.Path) + "/", RawQuery: r.URL.RawQuery}
	w.Header().Set("Location", folder.String())
	return statusError{http.StatusTemporaryRedirect, "This address ends in a slash."}
}

// serveSocket hands a request for a WebSocket on.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request, room string, upgrade bool,
	serve func(http.ResponseWriter, *http.Request, string)) error {
	if !upgrade {
		if err := readOnly(w, r); err != nil {
			return err
		}
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		return statusError{http.StatusUpgradeRequired, "This address is for WebSockets."}
	}
	serve(w, r, room)
	return nil
}

func serveHealth(w http.ResponseWriter, r *http.Request) error {
	if err := readOnly(w, r); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	io.WriteString(w, "ok\n")
	return nil
}

// redirectToTLS answers a request in plain http on the TLS port, which is what
// a browser sends when https:// was not typed.
func redirectToTLS(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Connection", "close")
	if _, err := hostname(r.Host); err != nil || readOnly(w, r) != nil {
		return statusError{http.StatusBadRequest, "This port speaks https: begin the address with https://."}
	}
	w.Header().Set("Location", "https://"+r.Host+r.URL.RequestURI())
	return statusError{http.StatusPermanentRedirect, "This port speaks https."}
}

// readOnly refuses all methods but GET and HEAD.
func readOnly(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	w.Header().Set("Allow", "GET, HEAD")
	return statusError{http.StatusMethodNotAllowed, "This address only takes GET."}
}

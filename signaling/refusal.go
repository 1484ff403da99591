package signaling

import (
	"net/http"
	"regexp"

	"github.com/gorilla/websocket"
)

// Close codes of our own: RFC 6455 7.4.2 leaves 3000-3999 to libraries and
// 4000-4999 to applications.
const (
	closeTooSlow = 3008
	closeTooMany = 4429
)

// refusal is why a socket was not let in or had to go. Those with a status are
// answered over HTTP, those with a code by a close frame; the shutdown by either.
type refusal struct {
	reason string // in metrics and in the close frame
	status int
	code   int
}

var (
	refuseBadRoom   = &refusal{reason: "bad-room", status: http.StatusNotFound}
	refuseSeedOff   = &refusal{reason: "seed-room-off", status: http.StatusNotFound, code: websocket.CloseGoingAway}
	refuseOrigin    = &refusal{reason: "origin", status: http.StatusForbidden}
	refuseHandshake = &refusal{reason: "bad-handshake", status: http.StatusBadRequest}
	refuseFlood     = &refusal{reason: "flood", status: http.StatusServiceUnavailable}
	refuseClosing   = &refusal{reason: "shutting-down", status: http.StatusServiceUnavailable, code: websocket.CloseGoingAway}

	refuseMaxConnections = &refusal{reason: "max-connections", code: closeTooMany}
	refusePerAddress     = &refusal{reason: "per-address", code: closeTooMany}
	refuseRate           = &refusal{reason: "rate-limited", code: closeTooMany}
	refuseTooSlow        = &refusal{reason: "too-slow", code: closeTooSlow}
	refuseTooBig         = &refusal{reason: "too-big", code: websocket.CloseMessageTooBig}
	refuseBinary         = &refusal{reason: "binary", code: websocket.CloseUnsupportedData}
	refuseNotUTF8        = &refusal{reason: "not-utf8", code: websocket.CloseInvalidFramePayloadData}
	refuseBadFrame       = &refusal{reason: "bad-frame", code: websocket.CloseProtocolError}
	refuseSilent         = &refusal{reason: "silent"}
)

// refusals is all of them, so that each is in the metrics from the start.
var refusals = []*refusal{
	refuseBadRoom, refuseSeedOff, refuseOrigin, refuseHandshake, refuseFlood, refuseClosing,
	refuseMaxConnections, refusePerAddress, refuseRate, refuseTooSlow, refuseTooBig,
	refuseBinary, refuseNotUTF8, refuseBadFrame, refuseSilent,
}

// frame is the close frame that tells the peer, nil where nothing can be told.
func (no *refusal) frame() *frame {
	if no.code == 0 {
		return nil
	}
	return closeFrame(no.code, no.reason)
}

var roomName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// screen refuses what can be refused before anything is taken for the request.
func screen(r *http.Request, room string, set *settings) *refusal {
	switch {
	case room == "" && !set.seedRoom:
		return refuseSeedOff
	case room != "" && !roomName.MatchString(room):
		return refuseBadRoom
	case !set.origins.allow(r.Header):
		return refuseOrigin
	}
	return nil
}

// refuseHTTP is the one place that answers without an upgrade. The connection is
// closed: who was refused has nothing more to ask on it.
func (s *Server) refuseHTTP(w http.ResponseWriter, no *refusal) {
	s.count(no)
	w.Header().Set("Connection", "close")
	http.Error(w, http.StatusText(no.status), no.status)
}

// count counts a refusal. The owner hears of full caps, once a minute.
func (s *Server) count(no *refusal) {
	s.stats.refused(no)
	switch no {
	case refuseMaxConnections, refusePerAddress, refuseFlood:
		s.full.Do(func() {
			s.log.Warn("signaling is full and refuses sockets", "reason", no.reason)
		})
	}
}

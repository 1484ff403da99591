package signaling

import (
	"net/http"
	"regexp"

	"github.com/gorilla/websocket"
)

// Close codes of our own: RFC 6455 7.4.2 leaves 3000-3999 to libraries and
// 4000-4999 to applications.
const (
	closeTooSlow    = 3008
	closeNoInvite   = 4401
	closeResumeLost = 4404
	closeTakenOver  = 4409
	closeTooMany    = 4429
)

// refusal is why a socket was not let in or had to go. Those with a status are
// answered over HTTP, those with a code by a close frame; the shutdown by either.
type refusal struct {
	reason  string // in metrics, in the close frame, and the code of the error in a room
	status  int
	code    int
	message string // for people; in a room
}

var (
	refuseBadRoom   = &refusal{reason: "bad-room", status: http.StatusNotFound}
	refuseSeedOff   = &refusal{reason: "seed-room-off", status: http.StatusNotFound, code: websocket.CloseGoingAway}
	refuseOrigin    = &refusal{reason: "origin", status: http.StatusForbidden}
	refuseHandshake = &refusal{reason: "bad-handshake", status: http.StatusBadRequest}
	refuseFlood     = &refusal{reason: "flood", status: http.StatusServiceUnavailable}
	refuseClosing   = &refusal{reason: "shutting-down", status: http.StatusServiceUnavailable, code: websocket.CloseGoingAway,
		message: "The server stops; come back in a moment."}

	refuseMaxConnections = &refusal{reason: "max-connections", code: closeTooMany,
		message: "The server has all the connections that it takes."}
	refusePerAddress = &refusal{reason: "per-address", code: closeTooMany,
		message: "There are too many connections of your address."}
	refuseRoomFull = &refusal{reason: "room-full", code: closeTooMany,
		message: "Nobody else fits into this room."}
	refuseRate = &refusal{reason: "rate-limited", code: closeTooMany,
		message: "These were too many messages in too short a time."}
	refuseTooSlow = &refusal{reason: "too-slow", code: closeTooSlow,
		message: "Too much waits that you have not read."}
	refuseTooBig = &refusal{reason: "too-big", code: websocket.CloseMessageTooBig,
		message: "A message was longer than signaling.max_message."}
	refuseBinary = &refusal{reason: "binary", code: websocket.CloseUnsupportedData,
		message: "Messages are text."}
	refuseNotUTF8 = &refusal{reason: "not-utf8", code: websocket.CloseInvalidFramePayloadData,
		message: "A message was not UTF-8."}
	refuseBadFrame = &refusal{reason: "bad-frame", code: websocket.CloseProtocolError,
		message: "A frame was not one of RFC 6455, or compressed."}
	refuseSilent = &refusal{reason: "silent"}

	refuseNoInvite = &refusal{reason: "invite-missing", code: closeNoInvite,
		message: "This room is for who has been invited: the address lacks the invite."}
	refuseInvalid = &refusal{reason: "invite-invalid", code: closeNoInvite,
		message: "This invite is none of this server, or not whole."}
	refuseExpired = &refusal{reason: "invite-expired", code: closeNoInvite,
		message: "This invite has ended: ask for a new one."}
	refuseForeign = &refusal{reason: "invite-foreign", code: closeNoInvite,
		message: "This invite is for another room."}

	refuseResume = &refusal{reason: "resume-lost", code: closeResumeLost,
		message: "There is nothing to come back to: enter as a new peer."}
	refuseTaken = &refusal{reason: "taken-over", code: closeTakenOver,
		message: "This peer has come back over another connection."}
)

// refusals is all of them, so that each is in the metrics from the start.
var refusals = []*refusal{
	refuseBadRoom, refuseSeedOff, refuseOrigin, refuseHandshake, refuseFlood, refuseClosing,
	refuseMaxConnections, refusePerAddress, refuseRoomFull, refuseRate, refuseTooSlow, refuseTooBig,
	refuseBinary, refuseNotUTF8, refuseBadFrame, refuseSilent,
	refuseNoInvite, refuseInvalid, refuseExpired, refuseForeign, refuseResume, refuseTaken,
}

// frame is the close frame that tells the peer, nil where nothing can be told.
func (no *refusal) frame() *frame {
	if no.code == 0 {
		return nil
	}
	return closeFrame(no.code, no.reason)
}

// lastWords are what the peer is told: on the seed's relay, where nothing is ever
// added, a close frame; in a room an error before it. Nil where nothing can be.
func (s *socket) lastWords(no *refusal) *frame {
	last := no.frame()
	if last == nil || !s.inRooms {
		return last
	}
	first := encode(failure{Type: typeError, Code: no.reason, Message: no.message})
	return &frame{wire: append(first.wire, last.wire...)}
}

var roomName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// screen refuses what can be refused before anything is taken for the request.
func (d *door) screen(r *http.Request, set *settings) *refusal {
	open := d.seed && d.room == "" // the seed's /
	switch {
	case open && !set.seedRoom:
		return refuseSeedOff
	case !open && !roomName.MatchString(d.room):
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

package web

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"time"

	"icebox/config"
)

// InviteTTL is how long an invite is good for where nobody says otherwise.
const InviteTTL = 7 * 24 * time.Hour

// MaxInviteTTL is the longest that can be asked for: ten years.
const MaxInviteTTL = 10 * 365 * 24 * time.Hour

// maxRequest is how many bytes a request to /api/rooms may have.
const maxRequest = 4 << 10

// What /api/rooms says when it makes no room.
var (
	errRoomRequest = statusError{http.StatusBadRequest, `The body has to be empty or like {"room": "kitchen", "ttl": 3600}.`}
	errRoomName    = statusError{http.StatusBadRequest, "A room is 1 to 64 letters, digits, - and _."}
	errRoomTTL     = statusError{http.StatusBadRequest, "ttl is a number of seconds, at least 1 and at most ten years."}
)

// roomRequest is the body of a request to /api/rooms. It can be empty.
type roomRequest struct {
	Room string `json:"room"` // empty: a new name that nobody can guess
	TTL  int64  `json:"ttl"`  // seconds that the invite is good for; InviteTTL where it is not said
}

// invitation is the answer of /api/rooms.
type invitation struct {
	Room   string `json:"room"`
	Invite string `json:"invite"` // the token
	Link   string `json:"link"`
	TTL    int64  `json:"ttl"` // seconds
}

// serveRooms answers POST /api/rooms: a room and the link into it, for TURN users.
func (s *Server) serveRooms(w http.ResponseWriter, r *http.Request, cfg *config.Config) error {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		return statusError{http.StatusMethodNotAllowed, "This address only takes POST."}
	}
	page, err := s.pageFor(r, cfg)
	if err != nil {
		return err
	}
	if _, err := s.signIn(r); err != nil {
		challenge(w, r, err)
		return err
	}
	want, err := readRoomRequest(r)
	if err != nil {
		return err
	}
	token := s.opt.Signaling.Invite(want.Room, time.Duration(want.TTL)*time.Second)
	return writeJSON(w, http.StatusOK, invitation{want.Room, token, RoomLink(page, want.Room, token), want.TTL})
}

func readRoomRequest(r *http.Request) (roomRequest, error) {
	want := roomRequest{TTL: int64(InviteTTL / time.Second)}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil || len(body) > maxRequest || len(body) > 0 && json.Unmarshal(body, &want) != nil {
		return want, errRoomRequest
	}
	if want.Room == "" {
		want.Room = NewRoom()
	}
	switch {
	case !IsRoom(want.Room):
		return want, errRoomName
	case want.TTL < 1 || want.TTL > int64(MaxInviteTTL/time.Second):
		return want, errRoomTTL
	}
	return want, nil
}

var roomName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// IsRoom says whether name can be that of a room, of /ws/ROOM or /seed/NAME: 1 to 64
// letters, digits, - and _ of ASCII.
func IsRoom(name string) bool { return roomName.MatchString(name) }

// NewRoom is a name for a room that nobody can guess, of 130 random bits.
func NewRoom() string { return rand.Text() }

// pageFor is the landing page for links: the public one, else as r has reached it.
func (s *Server) pageFor(r *http.Request, cfg *config.Config) (string, error) {
	scheme := "http"
	if s.overTLS() {
		scheme = "https"
	}
	if page := PublicURL(cfg, scheme, port(s.Addr())); page != "" {
		return page, nil
	}
	if _, err := hostname(r.Host); err != nil {
		return "", errBadHost
	}
	return scheme + "://" + r.Host, nil
}

package signaling

import (
	"encoding/json"

	"github.com/gorilla/websocket"
)

// The types of the server's own messages in a room.
const (
	typeWelcome = "welcome"
	typeJoined  = "peer-joined"
	typeLeft    = "peer-left"
	typeICE     = "ice-servers"
	typeError   = "error"
)

// welcome is the first message to a member. It has no seq.
type welcome struct {
	Type       string          `json:"type"`
	ID         string          `json:"id"`
	Room       string          `json:"room"`
	Peers      []string        `json:"peers"` // the others, in the order in which they came
	ICEServers json.RawMessage `json:"iceServers"`
	TTL        int             `json:"ttl"`      // seconds; 0: there are no credentials among them
	Resume     string          `json:"resume"`   // the token
	Resumed    bool            `json:"resumed"`  // it is the member of before
	Received   uint64          `json:"received"` // how many of its messages have been taken
}

// iceServers is the message with new credentials.
type iceServers struct {
	Type       string          `json:"type"`
	ICEServers json.RawMessage `json:"iceServers"`
	TTL        int             `json:"ttl"`
	Restart    bool            `json:"restart"` // the public address has changed
}

// failure is the message about one that was refused, or before a close. It has
// no seq.
type failure struct {
	Type    string `json:"type"`
	Code    string `json:"code"`
	Message string `json:"message"`
	// Received says which of the peer's messages it is about, counted as in
	// welcome. 0: the close that follows.
	Received uint64 `json:"received,omitempty"`
}

// encode makes one whole frame of a message.
func encode(message any) *frame {
	return newFrame(websocket.TextMessage, textOf(message))
}

// encodeNumbered is encode for a message that has a seq.
func encodeNumbered(message any) *frame {
	return &frame{wire: textOf(message)[1:], numbered: true}
}

// textOf is a message as JSON. What can't be is a fault of ours: all of it is
// strings, numbers, and JSON that was made before.
func textOf(message any) []byte {
	text, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	return text
}

// notice tells of a peer that has come or gone.
func notice(kind, id string) *frame {
	return encodeNumbered(struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	}{kind, id})
}

// relayed is a peer's message as the others get it: from, and everything that
// stood between its braces as it stood there. An id needs no escapes.
func relayed(from string, inside []byte) *frame {
	const field = `"from":"`
	b := make([]byte, 0, len(field)+len(from)+len(`",`)+len(inside))
	b = append(b, field...)
	b = append(b, from...)
	b = append(b, `",`...)
	return &frame{wire: append(b, inside...), numbered: true}
}

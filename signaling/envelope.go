package signaling

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// The codes of an error that does not end the socket.
const (
	codeBadMessage    = "bad-message"
	codeReservedType  = "reserved-type"
	codeReservedField = "reserved-field"
	codeUnknownPeer   = "unknown-peer"
)

// fault is what is wrong with a message, which is then not passed on.
type fault struct{ code, message string }

var (
	faultNotJSON   = &fault{codeBadMessage, "A message is JSON (RFC 8259), and this is not."}
	faultNotObject = &fault{codeBadMessage, "A message is a JSON object."}
	faultNoType    = &fault{codeBadMessage, `A message has a "type", a string.`}
	faultTo        = &fault{codeBadMessage, `"to" is the id of a peer, a string.`}
	faultField     = &fault{codeReservedField, `"from" and "seq" are added by the server: send neither.`}
	faultTwice     = &fault{codeReservedField, "A key stands there twice."}
	faultReserved  = &fault{codeReservedType, "Only the server sends this type."}
	faultUnknown   = &fault{codeUnknownPeer, `Nobody in this room has the id of "to".`}
)

// reservedTypes are those of the server's own messages.
var reservedTypes = []string{typeWelcome, typeJoined, typeLeft, typeICE, typeError}

// envelope is what the server has to know of a message. Everything else in it is
// passed on as it is.
type envelope struct {
	to     string // the id of a peer; empty with direct: nobody has it
	direct bool   // for one peer
	inside []byte // from behind the first brace up to the last, that included
}

// openEnvelope reads the top level of a message. Keys are compared as they are
// meant, escapes resolved, and exactly: "From" is any other key. encoding/json
// alone would take it for "from", and of two that are the same the last.
func openEnvelope(text []byte) (envelope, *fault) {
	if !json.Valid(text) {
		return envelope{}, faultNotJSON
	}
	s := scanner{text: text}
	if s.peek() != '{' {
		return envelope{}, faultNotObject
	}
	e := envelope{inside: text[s.at+1 : bytes.LastIndexByte(text, '}')+1]}
	typed := false
	var seen keys
	for s.skip(); s.peek() != '}'; {
		key := unescape(s.value())
		s.peek()
		s.skip() // the colon
		value := s.value()
		if !seen.add(key) {
			return envelope{}, faultTwice
		}
		if f := e.field(key, value); f != nil {
			return envelope{}, f
		}
		typed = typed || string(key) == "type"
		if s.peek() == ',' {
			s.skip()
		}
	}
	if !typed {
		return envelope{}, faultNoType
	}
	return e, nil
}

// field takes note of one key of the top level and its value.
func (e *envelope) field(key, value []byte) *fault {
	switch string(key) {
	case "from", "seq":
		return faultField
	case "type":
		if value[0] != '"' {
			return faultNoType
		}
		if slices.Contains(reservedTypes, string(unescape(value))) {
			return faultReserved
		}
	case "to":
		if value[0] != '"' {
			return faultTo
		}
		e.to, e.direct = string(unescape(value)), true
	}
	return nil
}

// keys are those that an object has so far. Few need no memory.
type keys struct {
	few  [16][]byte
	n    int
	many map[string]struct{}
}

// add reports false for a key that is there already.
func (k *keys) add(key []byte) bool {
	for _, other := range k.few[:k.n] {
		if bytes.Equal(other, key) {
			return false
		}
	}
	if k.n < len(k.few) {
		k.few[k.n] = key
		k.n++
		return true
	}
	if _, there := k.many[string(key)]; there {
		return false
	}
	if k.many == nil {
		k.many = make(map[string]struct{})
	}
	k.many[string(key)] = struct{}{}
	return true
}

// unescape is what a JSON string means.
func unescape(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var meant string
	if json.Unmarshal(quoted, &meant) != nil {
		return inner // it is valid: the caller has seen to that
	}
	return []byte(meant)
}

// scanner walks over JSON that is known to be valid.
type scanner struct {
	text []byte
	at   int
}

// peek is the next byte that is no white space.
func (s *scanner) peek() byte {
	for s.text[s.at] == ' ' || s.text[s.at] == '\t' || s.text[s.at] == '\n' || s.text[s.at] == '\r' {
		s.at++
	}
	return s.text[s.at]
}

func (s *scanner) skip() { s.at++ }

// value is the next value, a key too, as it stands there.
func (s *scanner) value() []byte {
	first := s.peek()
	begin := s.at
	switch first {
	case '"':
		s.quoted()
	case '{', '[':
		s.nested()
	default:
		for strings.IndexByte(",}] \t\r\n", s.text[s.at]) < 0 {
			s.at++
		}
	}
	return s.text[begin:s.at]
}

// quoted walks over a string.
func (s *scanner) quoted() {
	for s.at++; s.text[s.at] != '"'; s.at++ {
		if s.text[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
}

// nested walks over an object or an array.
func (s *scanner) nested() {
	for depth := 0; ; {
		switch s.text[s.at] {
		case '"':
			s.quoted()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if s.at++; depth == 0 {
			return
		}
	}
}

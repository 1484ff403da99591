package signaling

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// An invite token is base64url without padding of
//
//	1 byte    version
//	8 bytes   when it ends, Unix seconds, big-endian
//	16 bytes  of the SHA-256 of the room's name
//	16 bytes  of the HMAC-SHA256 of all before
//
// so that whoever checks it can tell a token for another room from a forged one.
const (
	inviteVersion = 1
	inviteRoomAt  = 1 + 8
	inviteMACAt   = inviteRoomAt + 16
	inviteSize    = inviteMACAt + 16
)

// inviteInfo tells the key of invites from any other that may be derived from the
// same secret (RFC 5869 section 3.2).
const inviteInfo = "icebox invite 1"

// inviter makes and checks invite tokens.
type inviter struct{ key []byte }

// newInviter derives the key of invites from turn.secret. Without a secret it
// knows no token.
func newInviter(secret string) inviter {
	if secret == "" {
		return inviter{}
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, inviteInfo, sha256.Size)
	if err != nil {
		panic(err) // the length is one that HKDF can make
	}
	return inviter{key}
}

// Invite makes a token that lets into the room until expires, in boxes that have
// this secret as their turn.secret. It is 55 letters, digits, - and _ long.
func Invite(secret, room string, expires time.Time) string {
	return newInviter(secret).make(room, expires)
}

// Invite makes a token that lets into the room for ttl.
func (s *Server) Invite(room string, ttl time.Duration) string {
	return s.settings.Load().invites.make(room, time.Now().Add(ttl))
}

func (v inviter) make(room string, expires time.Time) string {
	b := make([]byte, 0, inviteSize)
	b = append(b, inviteVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(expires.Unix()))
	b = append(b, roomMark(room)...)
	return base64.RawURLEncoding.EncodeToString(append(b, v.sign(b)...))
}

func (v inviter) sign(b []byte) []byte {
	mac := hmac.New(sha256.New, v.key)
	mac.Write(b)
	return mac.Sum(nil)[:inviteSize-inviteMACAt]
}

func roomMark(room string) []byte {
	sum := sha256.Sum256([]byte(room))
	return sum[:inviteMACAt-inviteRoomAt]
}

// check says why a token does not let into the room at this moment, nil where it
// does.
func (v inviter) check(token, room string, now time.Time) *refusal {
	if token == "" {
		return refuseNoInvite
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) != inviteSize || b[0] != inviteVersion || v.key == nil {
		return refuseInvalid
	}
	if !hmac.Equal(v.sign(b[:inviteMACAt]), b[inviteMACAt:]) {
		return refuseInvalid
	}
	if !hmac.Equal(roomMark(room), b[inviteRoomAt:inviteMACAt]) {
		return refuseForeign
	}
	if now.Unix() >= int64(binary.BigEndian.Uint64(b[1:inviteRoomAt])) {
		return refuseExpired
	}
	return nil
}

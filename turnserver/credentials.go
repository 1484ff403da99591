package turnserver

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // the long-term key is an MD5, RFC 8489 section 9.2.2
	"crypto/sha1" //nolint:gosec // time-limited passwords are HMAC-SHA1 everywhere
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"icebox/config"
)

// restAccount is in front of the accounts of time-limited user names.
const restAccount = "rest:"

// Prefixes of the REST part of the box's own time-limited user names.
const (
	restUser = "user/" // for a static user, good while he is there
	restPeer = "peer/" // for a peer of a room
)

// identity is who a user name stands for.
type identity struct {
	username string
	// account is whom quotas count: a static user's name, or "rest:" and the
	// REST part of a time-limited one.
	account string
	// key is the long-term key, MD5(username:realm:password).
	key []byte
	// expires is the end of a time-limited credential, zero for a static user.
	expires time.Time
}

// credentials are the users of one configuration. They never change: a reload
// makes new ones.
type credentials struct {
	realm  string
	secret string
	users  map[string][]byte // static users: name -> long-term key
	// gone says that the peer of an id has left: its credentials are no good any
	// more.
	gone func(id string) bool
}

func newCredentials(cfg *config.TURN, gone func(id string) bool) *credentials {
	c := &credentials{realm: cfg.Realm, secret: cfg.Secret, users: make(map[string][]byte, len(cfg.Users)), gone: gone}
	for _, u := range cfg.Users {
		if key, err := hex.DecodeString(u.Key); err == nil && len(key) == md5.Size {
			c.users[u.Name] = key
		} else {
			c.users[u.Name] = longTermKey(u.Name, cfg.Realm, u.Password)
		}
	}
	return c
}

// longTermKey is that of RFC 8489 section 9.2.2.
func longTermKey(name, realm, password string) []byte {
	sum := md5.Sum([]byte(name + ":" + realm + ":" + password)) //nolint:gosec // the RFC's
	return sum[:]
}

// find looks a user name up: a static user's, else a time-limited one. It does
// not look at the end of a time-limited one: that counts at Allocate alone.
func (c *credentials) find(username string) (identity, bool) {
	if key, ok := c.users[username]; ok {
		return identity{username: username, account: username, key: key}, true
	}
	expires, rest, ok := splitTimeLimited(username)
	if !ok || c.secret == "" {
		return identity{}, false
	}
	if name, own := strings.CutPrefix(rest, restUser); own {
		if _, there := c.users[name]; !there {
			return identity{}, false
		}
	}
	if id, own := strings.CutPrefix(rest, restPeer); own && c.gone(id) {
		return identity{}, false
	}
	key := longTermKey(username, c.realm, timeLimitedPassword(c.secret, username))
	return identity{username: username, account: restAccount + rest, key: key, expires: expires}, true
}

// revoke says whether a user name that was good under the credentials of before is not
// under c: it is nobody's now, or has another password. In another realm each key is
// another whatever the password: then only the first counts.
func (c *credentials) revoke(before *credentials, username string) bool {
	now, ok := c.find(username)
	if !ok {
		return true
	}
	was, ok := before.find(username)
	return ok && c.realm == before.realm && !bytes.Equal(was.key, now.key)
}

// owningUser is the static user that an account belongs to: himself, or whom
// the box has made time-limited credentials for.
func owningUser(account string) string {
	return strings.TrimPrefix(account, restAccount+restUser)
}

// splitTimeLimited takes EXPIRY or EXPIRY:REST apart; EXPIRY is in Unix seconds.
func splitTimeLimited(username string) (expires time.Time, rest string, ok bool) {
	number, rest, _ := strings.Cut(username, ":")
	if len(number) == 0 || len(number) > 12 || strings.Trim(number, "0123456789") != "" {
		return time.Time{}, "", false
	}
	seconds, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return time.Time{}, "", false
	}
	return time.Unix(seconds, 0), rest, true
}

func timeLimitedPassword(secret, username string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// authenticate compares a static user's password in constant time.
func (c *credentials) authenticate(name, password string) bool {
	key, ok := c.users[name]
	if !ok {
		key = make([]byte, md5.Size)
	}
	same := subtle.ConstantTimeCompare(key, longTermKey(name, c.realm, password)) == 1
	return ok && same
}

// MintUser makes time-limited credentials of the static user name, good until
// expires: coturn's REST form, the user name EXPIRY:user/NAME and as password
// base64(HMAC-SHA1(secret, user name)).
func MintUser(secret, name string, expires time.Time) (username, password string) {
	return mint(secret, restUser+name, expires)
}

// MintPeer makes time-limited credentials of a peer of a room or a guest, in
// the form of MintUser with EXPIRY:peer/ID as the user name.
func MintPeer(secret, id string, expires time.Time) (username, password string) {
	return mint(secret, restPeer+id, expires)
}

func mint(secret, rest string, expires time.Time) (username, password string) {
	username = strconv.FormatInt(expires.Unix(), 10) + ":" + rest
	return username, timeLimitedPassword(secret, username)
}

//go:build linux

package conformance

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"
)

// longTermKey is the key of long-term credentials (RFC 8489 §9.2.2).
func longTermKey(name, realm, password string) []byte {
	sum := md5.Sum([]byte(name + ":" + realm + ":" + password))
	return sum[:]
}

// timeLimited is a user of the shared secret: coturn's REST form.
func timeLimited(until time.Time, name string) user {
	name = fmt.Sprintf("%d:%s", until.Unix(), name)
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(name))
	return user{name, base64.StdEncoding.EncodeToString(mac.Sum(nil))}
}

// integrity signs what has been written so far (RFC 8489 §14.5): the length
// field that goes into the sum already counts MESSAGE-INTEGRITY itself.
func integrity(key []byte) part {
	return func(m *message) {
		m.attribute(attrIntegrity, make([]byte, sha1.Size))
		at := len(m.raw) - sha1.Size
		copy(m.raw[at:], integritySum(m.raw[:at-4], key))
	}
}

// integritySum is the value of a MESSAGE-INTEGRITY that follows head.
func integritySum(head, key []byte) []byte {
	head = append([]byte(nil), head...)
	binary.BigEndian.PutUint16(head[2:], uint16(len(head)-headerSize+4+sha1.Size))
	mac := hmac.New(sha1.New, key)
	mac.Write(head)
	return mac.Sum(nil)
}

// fingerprint adds the CRC of what has been written so far (RFC 8489 §14.7).
func fingerprint() part {
	return func(m *message) {
		m.attribute(attrFingerprint, make([]byte, 4))
		at := len(m.raw) - 4
		binary.BigEndian.PutUint32(m.raw[at:], fingerprintSum(m.raw[:at-4]))
	}
}

func fingerprintSum(head []byte) uint32 {
	head = append([]byte(nil), head...)
	binary.BigEndian.PutUint16(head[2:], uint16(len(head)-headerSize+8))
	return crc32.ChecksumIEEE(head) ^ 0x5354554e
}

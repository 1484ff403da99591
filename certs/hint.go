package certs

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// pairHint says what to do about files that are no pair, as far as they tell.
func pairHint(certPEM, keyPEM []byte) string {
	if hasPassphrase(keyPEM) {
		return ": the key has a passphrase: store it without"
	}
	if n := placeOf(certPEM, keyPEM); n > 1 {
		return fmt.Sprintf(": the certificate of this key is number %d in the file: it has to come first", n)
	}
	return ""
}

// hasPassphrase reports whether a key is encrypted, as PKCS #8 (RFC 5958) or the
// older way (RFC 1421 section 4.6.1.1).
func hasPassphrase(keyPEM []byte) bool {
	for block, rest := pem.Decode(keyPEM); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return true
		}
	}
	return false
}

// placeOf counts which certificate of a file is that of the key; 0: none is.
func placeOf(certPEM, keyPEM []byte) int {
	n := 0
	for block, rest := pem.Decode(certPEM); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		n++
		if _, err := tls.X509KeyPair(pem.EncodeToMemory(block), keyPEM); err == nil {
			return n
		}
	}
	return 0
}

// trustHint says what to do about a certificate that is not trusted, as far as
// the error tells.
func trustHint(cert *tls.Certificate, distrust error) string {
	var unknown x509.UnknownAuthorityError
	leaf := cert.Leaf
	if errors.As(distrust, &unknown) && len(cert.Certificate) == 1 && !bytes.Equal(leaf.RawIssuer, leaf.RawSubject) {
		return ": is the chain missing? use fullchain.pem"
	}
	return ""
}

// isEd25519 reports whether a certificate has a key that no browser takes.
func isEd25519(leaf *x509.Certificate) bool {
	_, is := leaf.PublicKey.(ed25519.PublicKey)
	return is
}

package certs

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPairHints gives New the mistakes that are made with files of certificates.
func TestPairHints(t *testing.T) {
	a := newAuthority(t)
	middle := a.intermediate(t)
	certPEM, keyPEM := middle.issue(t, "home.example")
	_, otherKey := a.issue(t, "home.example")
	middlePEM := encode("CERTIFICATE", middle.cert.Raw)
	old := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: []byte("secret"),
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}})
	for _, tt := range []struct {
		name      string
		cert, key []byte
		want      string // what the error ends in
	}{
		{"intermediate first", slices.Concat(middlePEM, certPEM), keyPEM, ": the certificate of this key is number 2 in the file: it has to come first"},
		{"another key", slices.Concat(middlePEM, certPEM), otherKey, "does not match public key"},
		{"passphrase", certPEM, encode("ENCRYPTED PRIVATE KEY", []byte("secret")), ": the key has a passphrase: store it without"},
		{"passphrase, older", certPEM, old, ": the key has a passphrase: store it without"},
	} {
		dir := t.TempDir()
		putPair(t, dir, tt.cert, tt.key)
		_, err := newSource(filesConfig(dir, ""), new(journal).logger(), testBox, a.roots())
		if err == nil || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q at its end", tt.name, err, tt.want)
		}
	}
}

// TestTrustHints looks for the chain where that is what is missing, and nowhere
// else.
func TestTrustHints(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	middle := a.intermediate(t)
	chain := encode("CERTIFICATE", middle.cert.Raw)
	bare, bareKey := middle.issue(t, "home.example")
	strange, strangeKey := stranger.intermediate(t).issue(t, "home.example")
	own := mustSource(t, selfSignedConfig(t.TempDir(), "home.example"), new(journal), a).current.Load().pair
	ownKey, err := x509.MarshalPKCS8PrivateKey(own.cert.PrivateKey)
	must(t, err)
	for _, tt := range []struct {
		name      string
		cert, key []byte
		warned    int
		hints     int
	}{
		{"with its chain", slices.Concat(bare, chain), bareKey, 0, 0},
		{"without", bare, bareKey, 1, 1},
		{"with another chain", slices.Concat(strange, chain), strangeKey, 1, 0},
		{"self-signed", encode("CERTIFICATE", own.cert.Certificate[0]), encode("PRIVATE KEY", ownKey), 1, 0},
	} {
		dir, j := t.TempDir(), new(journal)
		putPair(t, dir, tt.cert, tt.key)
		mustSource(t, filesConfig(dir, "home.example"), j, a)
		j.wantCount(t, tt.warned, "level=WARN", "browsers do not trust the certificate")
		j.wantCount(t, tt.hints, "is the chain missing? use fullchain.pem")
	}
}

// TestEd25519 is a certificate that programs take and browsers don't.
func TestEd25519(t *testing.T) {
	a, dir, j := newAuthority(t), t.TempDir(), new(journal)
	public, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	cert := a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(3), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"home.example"},
	}, public)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	putPair(t, dir, encode("CERTIFICATE", cert.Raw), encode("PRIVATE KEY", der))
	mustSource(t, filesConfig(dir, "home.example"), j, a)
	j.wantCount(t, 1, "level=WARN", "use ECDSA P-256 or RSA")
}

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// putExpired makes a certificate that ended an hour ago, c.pem, and its key,
// c.key.
func putExpired(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"home.example"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"c.pem": {Type: "CERTIFICATE", Bytes: cert},
		"c.key": {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCheckFindsAnExpiredCertificate, and says so beside what else is wrong.
func TestCheckFindsAnExpiredCertificate(t *testing.T) {
	dir := configDir(t, loopbackConfig+"tls: {cert: c.pem, key: c.key}\n")
	putExpired(t, dir)
	got := icebox(t, dir, "check")
	if got.code != exitFault || got.stdout != "" || !strings.Contains(got.stderr, "icebox: tls.cert: the certificate expired on ") {
		t.Errorf("code %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
	}
	if err := os.WriteFile(filepath.Join(dir, "state"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got = icebox(t, dir, "check")
	for _, want := range []string{"tls.cert: the certificate expired on ", "state_dir is not a directory"} {
		if got.code != exitFault || !strings.Contains(got.stderr, want) {
			t.Errorf("code %d, stderr %q, want %q", got.code, got.stderr, want)
		}
	}
}

// TestCheckReportsFileAndCertificate has faults of both, and such a fault that
// nobody can say which certificate is meant.
func TestCheckReportsFileAndCertificate(t *testing.T) {
	for tls, want := range map[string]string{
		"tls: {cert: c.pem, key: c.key}\n":  "config.yaml:1: domian: unknown key; did you mean domain?\ntls.cert: the certificate expired on ",
		"tls: {cert: no.pem, key: c.key}\n": "did you mean domain?\ntls.cert and tls.key: read the certificate: ",
		"tls: {cert: c.pem, kye: c.key}\n":  "did you mean domain?\nconfig.yaml:2: tls.kye: unknown key; did you mean key?\n",
		"tls: {source: off}\n":              "did you mean domain?\n",
	} {
		dir := configDir(t, "domian: home.example\n"+tls)
		putExpired(t, dir)
		got := icebox(t, dir, "check")
		if got.code != exitFault || got.stdout != "" || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: code %d, stdout %q, stderr %q", tls, got.code, got.stdout, got.stderr)
		}
	}
}

package certs

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"icebox/config"
)

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Root"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(10 * 365 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

func (a *authority) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// intermediate returns an authority that this one has signed.
func (a *authority) intermediate(t *testing.T) *authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Test Intermediate"},
		NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return &authority{a.sign(t, template, key.Public()), key}
}

func (a *authority) sign(t *testing.T, template *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// issue makes a certificate that is good for 30 days, and its key, both PEM.
func (a *authority) issue(t *testing.T, names ...string) (certPEM, keyPEM []byte) {
	t.Helper()
	return a.issueUntil(t, time.Now().Add(30*24*time.Hour), names...)
}

func (a *authority) issueUntil(t *testing.T, end time.Time, names ...string) (certPEM, keyPEM []byte) {
	t.Helper()
	key := newKey(t)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	cert := a.sign(t, &x509.Certificate{
		SerialNumber: serial, NotBefore: end.Add(-31 * 24 * time.Hour), NotAfter: end,
		DNSNames: names, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, key.Public())
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return encode("CERTIFICATE", cert.Raw), encode("PRIVATE KEY", der)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// journal keeps what is logged.
type journal struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// count returns how many lines hold all of these words.
func (j *journal) count(words ...string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
lines:
	for line := range strings.Lines(j.text.String()) {
		for _, w := range words {
			if !strings.Contains(line, w) {
				continue lines
			}
		}
		n++
	}
	return n
}

// wantCount fails unless n lines hold these words.
func (j *journal) wantCount(t *testing.T, n int, words ...string) {
	t.Helper()
	if got := j.count(words...); got != n {
		j.mu.Lock()
		defer j.mu.Unlock()
		t.Errorf("%d log lines with %q, want %d:\n%s", got, words, n, j.text.String())
	}
}

// testBox is a machine that does not change.
func testBox() (box, error) {
	return box{
		hostname:  "Attic",
		lasting:   []netip.Addr{netip.MustParseAddr("192.168.1.20"), netip.MustParseAddr("fd00::20")},
		public:    []netip.Addr{netip.MustParseAddr("8.7.6.5")},
		transient: []netip.Addr{netip.MustParseAddr("2a00::1:2:3"), netip.MustParseAddr("172.17.0.1")},
	}, nil
}

func filesConfig(dir, domain string) *config.Config {
	return &config.Config{
		Domain: domain, StateDir: filepath.Join(dir, "state"),
		TLS: config.TLS{Source: "files", Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")},
	}
}

func selfSignedConfig(dir, domain string) *config.Config {
	return &config.Config{Domain: domain, StateDir: filepath.Join(dir, "state"), TLS: config.TLS{Source: "self-signed"}}
}

// mustSource makes a source, on testBox and with the roots of a.
func mustSource(t *testing.T, cfg *config.Config, j *journal, a *authority) *Source {
	t.Helper()
	s, err := newSource(cfg, j.logger(), testBox, a.roots())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// put replaces a file by a rename.
func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// putPair replaces cert.pem and key.pem of a directory.
func putPair(t *testing.T, dir string, certPEM, keyPEM []byte) {
	t.Helper()
	put(t, filepath.Join(dir, "cert.pem"), certPEM)
	put(t, filepath.Join(dir, "key.pem"), keyPEM)
}

// shown returns the certificate that a client gets in a real handshake.
func shown(t *testing.T, s *Source) *x509.Certificate {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", s.TLSConfig("http/1.1"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	defer func() { ln.Close(); <-done }()
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		conn.(*tls.Conn).Handshake()
		conn.Close()
	}()
	return dial(t, ln.Addr())
}

func dial(t *testing.T, addr net.Addr) *x509.Certificate {
	t.Helper()
	conn, err := tls.Dial("tcp", addr.String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if p := conn.ConnectionState().NegotiatedProtocol; p != "http/1.1" {
		t.Errorf("protocol %q", p)
	}
	return conn.ConnectionState().PeerCertificates[0]
}

func parse(t *testing.T, certPEM []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(certPEM)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// wantShown fails unless a client gets this certificate.
func wantShown(t *testing.T, s *Source, certPEM []byte) {
	t.Helper()
	if got, want := shown(t, s), parse(t, certPEM); !got.Equal(want) {
		t.Errorf("certificate %v for %v is shown, want %v for %v", got.SerialNumber, got.DNSNames, want.SerialNumber, want.DNSNames)
	}
}

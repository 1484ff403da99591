package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"path/filepath"
	"time"
)

const (
	// lifetime is as long as browsers accept of a certificate (398 days), less
	// a day for clocks that differ.
	lifetime = 397 * 24 * time.Hour
	// renewBefore is how long before its end a certificate is made anew.
	renewBefore = 30 * 24 * time.Hour
	// backdate lets a certificate be good for clients whose clock is slow.
	backdate = time.Hour
)

// The files in the state directory, both PEM and 0600.
const (
	stateCert = "self-signed.crt"
	stateKey  = "self-signed.key"
)

// selfSigned returns have or the certificate in the state directory, where that
// is still good for this box, else a new one. A new one keeps the key and the
// addresses of the last one. Where it can't be stored it lives in memory: a full
// disk must not end TLS.
func (s *Source) selfSigned(set settings, have *pair) (*pair, error) {
	b, err := s.box()
	if err != nil {
		return nil, err
	}
	subject, now := subjectOf(set, b), time.Now()
	if have != nil && stale(have, subject, now) == "" {
		return have, nil
	}
	stored, err := readState(set.stateDir)
	why := staleState(stored, err, subject, now)
	if why == "" {
		return stored, nil
	}
	if have == nil {
		have = stored
	}
	if have != nil {
		subject.carry(have.cert.Leaf)
		// A clock that is behind the last one is wrong: what it dates may have
		// ended when it is set right.
		now = latest(now, have.cert.Leaf.NotBefore.Add(backdate))
	}
	s.log.Info("making a self-signed certificate", "because", why)
	key, err := stateKeyOf(set.stateDir)
	if err != nil {
		return nil, err
	}
	return s.sign(set.stateDir, key, subject, now)
}

// stale says why p must be made anew, or "". That it is from the future is no
// reason: the clock of a board without a battery is behind after each start, and
// one that is made then would cost every device its exception for this one.
func stale(p *pair, subject subject, now time.Time) string {
	leaf := p.cert.Leaf
	switch {
	case now.Add(renewBefore).After(leaf.NotAfter):
		return "the last one ends on " + leaf.NotAfter.Format(time.DateOnly)
	case leaf.NotAfter.Sub(leaf.NotBefore) > lifetime:
		return "the last one is good for longer than browsers accept"
	}
	if name := subject.missing(leaf); name != "" {
		return "the last one is not for " + name
	}
	return ""
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func staleState(stored *pair, err error, subject subject, now time.Time) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is none yet"
	case err != nil:
		return "the last one is unreadable: " + err.Error()
	default:
		return stale(stored, subject, now)
	}
}

func readState(dir string) (*pair, error) {
	p, err := loadFiles(filepath.Join(dir, stateCert), filepath.Join(dir, stateKey), nil)
	if err != nil {
		return nil, err
	}
	p.source = sourceSelfSigned
	return p, nil
}

// stateKeyOf returns the key of the state directory, or a new one where there
// is none that can be used.
func stateKeyOf(dir string) (*ecdsa.PrivateKey, error) {
	if data, err := readFile(filepath.Join(dir, stateKey)); err == nil {
		if key := parseKey(data); key != nil {
			return key, nil
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, nil
}

func parseKey(data []byte) *ecdsa.PrivateKey {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil
	}
	return key
}

// sign makes a certificate and stores it, the key first: a key without its
// certificate is mended at the next start, and stays.
func (s *Source) sign(dir string, key *ecdsa.PrivateKey, subject subject, now time.Time) (*pair, error) {
	certPEM, err := newCertificate(key, subject, now)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the key of the certificate: %w", err)
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("use the certificate just signed: %w", err)
	}
	if err := storeState(dir, certPEM, keyPEM); err != nil {
		s.log.Error("the self-signed certificate lasts until the next start only", "err", err)
	}
	return &pair{source: sourceSelfSigned, digest: digestOf(certPEM, keyPEM), cert: &cert}, nil
}

func storeState(dir string, certPEM, keyPEM []byte) error {
	keyPath := filepath.Join(dir, stateKey)
	if old, err := readFile(keyPath); err != nil || !bytes.Equal(old, keyPEM) {
		if err := writeFile(keyPath, keyPEM); err != nil {
			return err
		}
	}
	return writeFile(filepath.Join(dir, stateCert), certPEM)
}

// newCertificate returns, as PEM, a certificate that is no authority: who
// accepts it trusts this box and nothing else.
func newCertificate(key *ecdsa.PrivateKey, subject subject, now time.Time) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial.Add(serial, big.NewInt(1)), // RFC 5280 section 4.1.2.2: above 0
		Subject:               pkix.Name{Organization: []string{"icebox"}, CommonName: commonName(subject.names[0])},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(-backdate).Add(lifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              subject.names,
		IPAddresses:           subject.ips(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// commonName cuts a name to the 64 characters that a subject may have (RFC 5280
// appendix A); clients read the other names.
func commonName(name string) string {
	return name[:min(len(name), 64)]
}

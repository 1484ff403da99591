package certs

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"time"
)

// pair is a certificate with its chain and its key. It is never changed.
type pair struct {
	source string
	digest [sha256.Size]byte // of the files it came from
	cert   *tls.Certificate  // Leaf is set
}

// maxFile bounds what is read of a certificate or key file, in bytes.
const maxFile = 1 << 20

// loadFiles reads a certificate chain and its key, both PEM, and checks that
// they belong together. It returns have where that came from the same bytes.
func loadFiles(certPath, keyPath string, have *pair) (*pair, error) {
	certPEM, err := readFile(certPath)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	keyPEM, err := readFile(keyPath)
	if err != nil {
		return nil, fmt.Errorf("read the key of the certificate: %w", err)
	}
	digest := digestOf(certPEM, keyPEM)
	if have != nil && have.digest == digest {
		return have, nil
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w%s", certPath, keyPath, err, pairHint(certPEM, keyPEM))
	}
	return &pair{source: sourceFiles, digest: digest, cert: &cert}, nil
}

// checkTime says why the certificate is not valid at now.
func (p *pair) checkTime(now time.Time) error {
	leaf := p.cert.Leaf
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("the certificate expired on %s", leaf.NotAfter.Format(time.DateTime))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("the certificate is good from %s on only", leaf.NotBefore.Format(time.DateTime))
	default:
		return nil
	}
}

func digestOf(certPEM, keyPEM []byte) [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n", len(certPEM))
	h.Write(certPEM)
	h.Write(keyPEM)
	return [sha256.Size]byte(h.Sum(nil))
}

func readFile(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path) // opening a named pipe waits for its writer
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s has more than %d bytes", path, maxFile)
	}
	return data, err
}

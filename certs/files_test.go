package certs

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFilesAtStart(t *testing.T) {
	a := newAuthority(t)
	certPEM, keyPEM := a.issue(t, "home.example")
	_, otherKey := a.issue(t, "home.example")
	oldCert, oldKey := a.issueUntil(t, time.Now().Add(-time.Hour), "home.example")
	tests := []struct {
		name      string
		cert, key []byte
		domain    string
		err       string
		logged    []string
	}{
		{name: "good", cert: certPEM, key: keyPEM, domain: "home.example"},
		{name: "mismatched", cert: certPEM, key: otherKey, err: "does not match"},
		{name: "no certificate", key: keyPEM, err: "read the certificate: open "},
		{name: "no key", cert: certPEM, err: "read the key of the certificate: open "},
		{name: "certificate is none", cert: []byte("hello"), key: keyPEM, err: "cert.pem with key "},
		{name: "swapped", cert: keyPEM, key: certPEM, err: "cert.pem with key "},
		{name: "endless", cert: make([]byte, maxFile+1), key: keyPEM, err: "more than 1048576 bytes"},
		{name: "expired", cert: oldCert, key: oldKey, logged: []string{"level=ERROR", "expired on"}},
		{name: "of another name", cert: certPEM, key: keyPEM, domain: "other.example",
			logged: []string{"level=WARN", "not for the domain", "domain=other.example"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, j := t.TempDir(), new(journal)
			cfg := filesConfig(dir, tt.domain)
			for path, data := range map[string][]byte{cfg.TLS.Cert: tt.cert, cfg.TLS.Key: tt.key} {
				if data != nil {
					put(t, path, data)
				}
			}
			s, err := newSource(cfg, j.logger(), testBox, a.roots())
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want %q in it", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantShown(t, s, tt.cert)
			if tt.logged != nil {
				j.wantCount(t, 1, tt.logged...)
			} else {
				j.wantCount(t, 0, "level=WARN")
			}
		})
	}
}

// running runs s until the test ends.
func running(t *testing.T, s *Source) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// eventually waits for what a change of files leads to: far longer than that
// takes, and shorter than checkEvery, which is the other way to see it.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not seen in 20 s: %s", what)
}

// serial is of the certificate in force. What is put in force is logged under
// the same lock: whoever has seen the number finds the line.
func (s *Source) serial() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.Load().cert.Leaf.SerialNumber.String()
}

// wantSwap waits until certPEM is in force, and looks at it in a handshake.
func wantSwap(t *testing.T, s *Source, certPEM []byte) {
	t.Helper()
	want := parse(t, certPEM).SerialNumber.String()
	eventually(t, "the new certificate", func() bool { return s.serial() == want })
	wantShown(t, s, certPEM)
}

// TestBadPairKeepsTheOld swaps bad pairs in: an open connection lives on, new
// ones get the old pair, one error is logged for each, and a good pair heals it.
func TestBadPairKeepsTheOld(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	dir, j := t.TempDir(), new(journal)
	certPEM, keyPEM := a.issue(t, "home.example")
	putPair(t, dir, certPEM, keyPEM)
	s := mustSource(t, filesConfig(dir, "home.example"), j, a)
	running(t, s)
	open := openConnection(t, s)

	otherCert, _ := a.issue(t, "home.example")
	oldCert, oldKey := a.issueUntil(t, time.Now().Add(-time.Hour), "home.example")
	bad := []struct {
		cert, key []byte
		err       string
	}{
		{otherCert, keyPEM, "does not match"},
		{oldCert, oldKey, "expired on"},
		{nil, keyPEM, "failed to find any PEM data"},
	}
	for i, b := range bad {
		putPair(t, dir, b.cert, b.key)
		eventually(t, b.err, func() bool { return j.count("level=ERROR", b.err) > 0 })
		must(t, os.Chtimes(filepath.Join(dir, "cert.pem"), time.Time{}, time.Now())) // seen, and no news
		time.Sleep(3 * settle)
		j.wantCount(t, 1, "level=ERROR", b.err)
		if n := s.failures.Load(); n != uint64(i+1) {
			t.Errorf("%d failures counted, want %d", n, i+1)
		}
		wantShown(t, s, certPEM)
		wantTrusted(t, s, true)
	}
	open.echo(t)
	certPEM, keyPEM = a.issue(t, "home.example")
	putPair(t, dir, certPEM, keyPEM)
	wantSwap(t, s, certPEM)
	open.echo(t)
}

// openConn is both ends of a TLS connection.
type openConn struct{ client, server *tls.Conn }

func openConnection(t *testing.T, s *Source) openConn {
	t.Helper()
	left, right := net.Pipe()
	c := openConn{tls.Client(left, &tls.Config{InsecureSkipVerify: true}), tls.Server(right, s.TLSConfig())}
	t.Cleanup(func() { left.Close(); right.Close() })
	c.echo(t)
	return c
}

func (c openConn) echo(t *testing.T) {
	t.Helper()
	go c.client.Write([]byte("still here"))
	got := make([]byte, 64)
	if n, err := c.server.Read(got); err != nil || string(got[:n]) != "still here" {
		t.Errorf("an open connection reads %q, %v", got[:n], err)
	}
}

package certs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func wantTrusted(t *testing.T, s *Source, want bool) {
	t.Helper()
	if s.Trusted() != want {
		t.Errorf("trusted: %v (%v)", !want, s.current.Load().distrust)
	}
}

func TestTrusted(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	middle := a.intermediate(t)
	chained := func(names ...string) (certPEM, keyPEM []byte) {
		certPEM, keyPEM = middle.issue(t, names...)
		return slices.Concat(certPEM, encode("CERTIFICATE", middle.cert.Raw)), keyPEM
	}
	tests := []struct {
		name   string
		issue  func(...string) ([]byte, []byte)
		names  string
		domain string
		want   bool
	}{
		{"by a root", func(n ...string) ([]byte, []byte) { return a.issue(t, n...) }, "home.example", "home.example", true},
		{"through an intermediate", chained, "home.example", "home.example", true},
		{"intermediate missing", func(n ...string) ([]byte, []byte) { return middle.issue(t, n...) }, "home.example", "home.example", false},
		{"by a stranger", func(n ...string) ([]byte, []byte) { return stranger.issue(t, n...) }, "home.example", "home.example", false},
		{"another name", chained, "home.example", "other.example", false},
		{"wildcard", chained, "*.example", "home.example", true},
		{"xn--", chained, "xn--bcher-kva.example", "bücher.example", true},
		{"no domain", chained, "home.example", "", true},
		{"no domain, no name", chained, "", "", false},
		{"no domain, by a stranger", func(n ...string) ([]byte, []byte) { return stranger.issue(t, n...) }, "home.example", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			putPairOf(t, dir)(tt.issue(strings.Fields(tt.names)...))
			wantTrusted(t, mustSource(t, filesConfig(dir, tt.domain), new(journal), a), tt.want)
		})
	}
}

func putPairOf(t *testing.T, dir string) func(certPEM, keyPEM []byte) {
	return func(certPEM, keyPEM []byte) { putPair(t, dir, certPEM, keyPEM) }
}

// TestTrustEnds lets the certificate in force expire, and be replaced after
// that: trust goes by the clock at once.
func TestTrustEnds(t *testing.T) {
	dir, j := t.TempDir(), new(journal)
	synctest.Test(t, func(t *testing.T) {
		// The clock here starts in 2000.
		root := newAuthority(t)
		certPEM, keyPEM := root.issueUntil(t, time.Now().Add(3*time.Hour), "home.example")
		putPair(t, dir, certPEM, keyPEM)
		s := mustSource(t, filesConfig(dir, "home.example"), j, root)
		wantTrusted(t, s, true)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.loop(ctx, newFollower(nil, s.log), nil, nil)
		}()
		time.Sleep(3*time.Hour - time.Millisecond)
		wantTrusted(t, s, true)
		time.Sleep(time.Second)
		wantTrusted(t, s, false)
		wantShown(t, s, certPEM)
		time.Sleep(3 * time.Hour)
		j.wantCount(t, 1, "level=WARN", "do not trust")
		certPEM, keyPEM = root.issue(t, "home.example")
		putPair(t, dir, certPEM, keyPEM)
		time.Sleep(checkEvery + time.Second)
		wantTrusted(t, s, true)
		wantShown(t, s, certPEM)
		cancel()
		<-done
	})
}

// TestSystemRoots runs itself anew with SSL_CERT_FILE set: roots are read once
// a process.
func TestSystemRoots(t *testing.T) {
	if dir := os.Getenv("CERTS_TEST_DIR"); dir != "" {
		s, err := New(filesConfig(dir, "home.example"), new(journal).logger())
		must(t, err)
		wantTrusted(t, s, os.Getenv("SSL_CERT_FILE") == filepath.Join(dir, "root.pem"))
		return
	}
	if os.PathSeparator == '\\' {
		t.Skip("needs SSL_CERT_FILE, which Windows does not have")
	}
	a, dir := newAuthority(t), t.TempDir()
	putPairOf(t, dir)(a.issue(t, "home.example"))
	put(t, filepath.Join(dir, "root.pem"), encode("CERTIFICATE", a.cert.Raw))
	for _, roots := range []string{"root.pem", "key.pem"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSystemRoots$")
		cmd.Env = append(os.Environ(), "CERTS_TEST_DIR="+dir, "SSL_CERT_FILE="+filepath.Join(dir, roots))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("with %s as roots: %v\n%s", roots, err, out)
		}
	}
}

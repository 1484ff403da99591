package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"

	"icebox/config"
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

func (s *Source) serial() string {
	return s.current.Load().cert.Leaf.SerialNumber.String()
}

// wantSwap waits until certPEM is in force, and looks at it in a handshake.
func wantSwap(t *testing.T, s *Source, certPEM []byte) {
	t.Helper()
	want := parse(t, certPEM).SerialNumber.String()
	eventually(t, "the new certificate", func() bool { return s.serial() == want })
	wantShown(t, s, certPEM)
}

// TestFilesSwapped replaces the pair in each of the ways that programs have.
func TestFilesSwapped(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	// Each layout writes the pair so that its config.TLS paths lead to it.
	layouts := []struct {
		name string
		swap func(t *testing.T, dir string, n int, certPEM, keyPEM []byte)
	}{
		{"by rename", func(t *testing.T, dir string, n int, certPEM, keyPEM []byte) {
			putPair(t, dir, certPEM, keyPEM)
		}},
		{"in place", func(t *testing.T, dir string, n int, certPEM, keyPEM []byte) {
			must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), certPEM, 0o600))
			must(t, os.WriteFile(filepath.Join(dir, "key.pem"), keyPEM, 0o600))
		}},
		{"by links into an archive", func(t *testing.T, dir string, n int, certPEM, keyPEM []byte) {
			archive := filepath.Join(dir, "archive", string(rune('0'+n)))
			must(t, os.MkdirAll(archive, 0o700))
			putPair(t, archive, certPEM, keyPEM)
			for _, name := range []string{"cert.pem", "key.pem"} {
				relink(t, filepath.Join("archive", string(rune('0'+n)), name), filepath.Join(dir, name))
			}
		}},
		{"by a link of the directory", func(t *testing.T, dir string, n int, certPEM, keyPEM []byte) {
			data := filepath.Join(dir, "..", string(rune('0'+n)))
			must(t, os.MkdirAll(data, 0o700))
			putPair(t, data, certPEM, keyPEM)
			relink(t, data, filepath.Join(dir, "..data"))
			for _, name := range []string{"cert.pem", "key.pem"} {
				if n == 0 {
					relink(t, filepath.Join("..data", name), filepath.Join(dir, name))
				}
			}
		}},
		{"with its directory", func(t *testing.T, dir string, n int, certPEM, keyPEM []byte) {
			next := dir + ".next"
			must(t, os.Mkdir(next, 0o700))
			putPair(t, next, certPEM, keyPEM)
			must(t, os.RemoveAll(dir))
			must(t, os.Rename(next, dir))
		}},
		{"with its directory, by rename", func(t *testing.T, dir string, n int, certPEM, keyPEM []byte) {
			next := dir + ".next"
			must(t, os.Mkdir(next, 0o700))
			putPair(t, next, certPEM, keyPEM)
			must(t, os.Rename(dir, dir+string(rune('0'+n))))
			must(t, os.Rename(next, dir))
		}},
	}
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			dir, j := filepath.Join(t.TempDir(), "tls"), new(journal)
			must(t, os.Mkdir(dir, 0o700))
			certPEM, keyPEM := a.issue(t, "home.example")
			l.swap(t, dir, 0, certPEM, keyPEM)
			s := mustSource(t, filesConfig(dir, "home.example"), j, a)
			running(t, s)
			for n := 1; n <= 3; n++ {
				certPEM, keyPEM = a.issue(t, "home.example")
				l.swap(t, dir, n, certPEM, keyPEM)
				wantSwap(t, s, certPEM)
			}
			j.wantCount(t, 4, "certificate in force")
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// relink makes name a link to target, in place of what it was.
func relink(t *testing.T, target, name string) {
	t.Helper()
	must(t, os.Symlink(target, name+".new"))
	must(t, os.Rename(name+".new", name))
}

// TestFollow expects a watch on each directory of the way and on no other, also
// after the files are others.
func TestFollow(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	for _, name := range []string{"a", "b", "c"} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o700))
	}
	put(t, filepath.Join(dir, "b", "cert.pem"), nil)
	must(t, os.Symlink(filepath.Join("..", "b", "cert.pem"), filepath.Join(dir, "a", "cert.pem")))
	must(t, os.Symlink("ring", filepath.Join(dir, "c", "ring")))
	w, err := fsnotify.NewWatcher()
	must(t, err)
	defer w.Close()
	j := new(journal)
	f := newFollower(w, j.logger())
	for _, tt := range []struct{ file, dirs string }{
		{"a/cert.pem", "a b"},
		{"b/cert.pem", "b"},
		{"c/none.pem", "c"},
		{"none/cert.pem", "."},
		{"c/ring", "c"},
	} {
		f.follow([]string{filepath.Join(dir, filepath.FromSlash(tt.file))})
		var dirs []string
		for _, watched := range w.WatchList() {
			name, err := filepath.Rel(dir, watched)
			must(t, err)
			dirs = append(dirs, name)
		}
		slices.Sort(dirs)
		if got := strings.Join(dirs, " "); got != tt.dirs {
			t.Errorf("%s: watched %q, want %q", tt.file, got, tt.dirs)
		}
	}
	f.follow(nil)
	if left := w.WatchList(); len(left) > 0 {
		t.Errorf("still watched: %q", left)
	}
	j.wantCount(t, 0, "level=")
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

func TestUpdate(t *testing.T) {
	a := newAuthority(t)
	dir, other, j := t.TempDir(), t.TempDir(), new(journal)
	certPEM, keyPEM := a.issue(t, "home.example")
	putPair(t, dir, certPEM, keyPEM)
	s := mustSource(t, filesConfig(dir, "home.example"), j, a)
	running(t, s)

	// Files that are not there yet: the old pair stays, and is still renewed.
	s.Update(filesConfig(other, "home.example"))
	s.Update(filesConfig(other, "home.example"))
	wantShown(t, s, certPEM)
	j.wantCount(t, 1, "level=ERROR")
	certPEM, keyPEM = a.issue(t, "home.example")
	putPair(t, dir, certPEM, keyPEM)
	s.Update(filesConfig(other, "home.example"))
	wantShown(t, s, certPEM)
	j.wantCount(t, 1, "level=ERROR")

	// They come.
	certPEM, keyPEM = a.issue(t, "home.example")
	putPair(t, other, certPEM, keyPEM)
	wantSwap(t, s, certPEM)
	wantTrusted(t, s, true)

	// Another name.
	s.Update(filesConfig(other, "other.example"))
	wantTrusted(t, s, false)
	j.wantCount(t, 1, "level=WARN", "not for the domain")

	// Another source, and back.
	s.Update(selfSignedConfig(dir, "home.example"))
	if leaf := shown(t, s); !slices.Contains(leaf.DNSNames, "attic.local") {
		t.Errorf("names %v in a self-signed certificate", leaf.DNSNames)
	}
	wantTrusted(t, s, false)
	s.Update(filesConfig(other, "home.example"))
	wantShown(t, s, certPEM)

	// Off is for the next start.
	s.Update(&config.Config{TLS: config.TLS{Source: "off"}})
	wantShown(t, s, certPEM)
	j.wantCount(t, 1, "level=WARN", "takes a restart")
	s.Update(&config.Config{TLS: config.TLS{Source: "acme"}})
	wantShown(t, s, certPEM)
	j.wantCount(t, 1, "level=ERROR", "not known")
}

// TestUpdateFollowsOtherFiles changes nothing but the files that Update named.
func TestUpdateFollowsOtherFiles(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	dir, other := t.TempDir(), t.TempDir()
	putPairOf(t, dir)(a.issue(t, "home.example"))
	putPairOf(t, other)(a.issue(t, "home.example"))
	s := mustSource(t, filesConfig(dir, ""), new(journal), a)
	running(t, s)
	time.Sleep(2 * settle) // the first files are followed by now
	s.Update(filesConfig(other, ""))
	time.Sleep(2 * settle)
	certPEM, keyPEM := a.issue(t, "home.example")
	putPair(t, other, certPEM, keyPEM)
	wantSwap(t, s, certPEM)
}

func TestOff(t *testing.T) {
	j := new(journal)
	s, err := New(&config.Config{TLS: config.TLS{Source: "off"}}, j.logger())
	must(t, err)
	running(t, s)
	if _, err := s.GetCertificate(nil); !errors.Is(err, ErrOff) {
		t.Errorf("GetCertificate: %v", err)
	}
	if s.Enabled() || s.Trusted() || !s.NotAfter().IsZero() {
		t.Errorf("enabled %v, trusted %v, until %v", s.Enabled(), s.Trusted(), s.NotAfter())
	}
	s.Update(&config.Config{TLS: config.TLS{Source: "off"}})
	j.wantCount(t, 0, "level=")
	s.Update(selfSignedConfig(t.TempDir(), ""))
	if s.Enabled() {
		t.Error("TLS was turned on")
	}
	j.wantCount(t, 1, "takes a restart")
}

func TestOldTLSIsRefused(t *testing.T) {
	s := mustSource(t, selfSignedConfig(t.TempDir(), ""), new(journal), newAuthority(t))
	for version, want := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		left, right := net.Pipe()
		client := tls.Client(left, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: version})
		done := make(chan struct{})
		go func() {
			defer close(done)
			client.Handshake()
			left.Close()
		}()
		if err := tls.Server(right, s.TLSConfig()).Handshake(); (err == nil) != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		right.Close()
		<-done
	}
}

package certs

import (
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"icebox/config"
)

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
	if _, err := s.TLSConfig().GetCertificate(nil); !errors.Is(err, errOff) {
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

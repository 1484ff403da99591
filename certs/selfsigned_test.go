package certs

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"icebox/config"
)

func TestSelfSigned(t *testing.T) {
	dir, j := t.TempDir(), new(journal)
	cfg := selfSignedConfig(dir, "Bücher.example")
	cfg.Public.IPv4 = netip.MustParseAddr("9.8.7.6")
	cfg.Public.IPv6 = netip.MustParseAddr("2a00::9")
	s := mustSource(t, cfg, j, newAuthority(t))
	leaf := shown(t, s)
	if want := []string{"xn--bcher-kva.example", "localhost", "attic", "attic.local"}; !slices.Equal(leaf.DNSNames, want) {
		t.Errorf("names %q, want %q", leaf.DNSNames, want)
	}
	for _, name := range []string{"xn--bcher-kva.example", "localhost", "attic", "ATTIC.local", "127.0.0.1", "::1", "9.8.7.6", "2a00::9",
		"192.168.1.20", "fd00::20", "8.7.6.5", "2a00::1:2:3", "172.17.0.1"} {
		if err := leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		t.Errorf("key %T", leaf.PublicKey)
	}
	if leaf.IsCA || leaf.KeyUsage != x509.KeyUsageDigitalSignature || !slices.Equal(leaf.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("authority %v, usages %v %v", leaf.IsCA, leaf.KeyUsage, leaf.ExtKeyUsage)
	}
	if d := leaf.NotAfter.Sub(leaf.NotBefore); d > 397*24*time.Hour || time.Until(leaf.NotAfter) < 396*24*time.Hour {
		t.Errorf("good for %v, until %v", d, leaf.NotAfter)
	}
	if !s.NotAfter().Equal(leaf.NotAfter) || s.Trusted() || !s.Enabled() {
		t.Errorf("until %v, trusted %v, enabled %v", s.NotAfter(), s.Trusted(), s.Enabled())
	}
	wantModes(t, cfg.StateDir)

	// The next start finds it.
	again := mustSource(t, cfg, j, newAuthority(t))
	if !shown(t, again).Equal(leaf) {
		t.Error("a restart makes another certificate")
	}
	j.wantCount(t, 1, "making a self-signed certificate", "there is none yet")
}

// wantModes expects the two files and nothing else, for their owner alone.
func wantModes(t *testing.T, dir string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		return // no modes there
	}
	want := map[string]fs.FileMode{".": 0o700 | fs.ModeDir, stateCert: 0o600, stateKey: 0o600}
	found := make(map[string]fs.FileMode)
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		name, _ := filepath.Rel(dir, path)
		found[name] = info.Mode()
		return err
	}))
	for name, mode := range found {
		if want[name] != mode {
			t.Errorf("%s has mode %v, want %v", name, mode, want[name])
		}
	}
	if len(found) != len(want) {
		t.Errorf("files %v", found)
	}
}

// TestChangedPublicAddress: a provider gives homes another address every few days.
// Where there is a domain, nobody has to click through a new certificate for that.
func TestChangedPublicAddress(t *testing.T) {
	for domain, made := range map[string]int{"home.example": 1, "": 2} {
		cfg, j := selfSignedConfig(t.TempDir(), domain), new(journal)
		cfg.Public.IPv4 = netip.MustParseAddr("9.8.7.6")
		s := mustSource(t, cfg, j, newAuthority(t))
		next := *cfg
		next.Public.IPv4 = netip.MustParseAddr("9.8.7.7")
		s.Update(&next)
		j.wantCount(t, made, "making a self-signed certificate")
	}
}

// TestSelfSignedState starts with all kinds of files in the state directory.
func TestSelfSignedState(t *testing.T) {
	a := newAuthority(t)
	foreignCert, foreignKey := a.issueUntil(t, time.Now().Add(20*24*time.Hour), "attic")
	tests := []struct {
		name    string
		spoil   func(t *testing.T, cert, key string)
		keyKept bool
		because string
	}{
		{"corrupt certificate", func(t *testing.T, cert, key string) { put(t, cert, []byte("-----BEGIN")) }, true, "unreadable"},
		{"empty certificate", func(t *testing.T, cert, key string) { put(t, cert, nil) }, true, "unreadable"},
		{"no certificate", func(t *testing.T, cert, key string) { must(t, os.Remove(cert)) }, true, "none yet"},
		{"corrupt key", func(t *testing.T, cert, key string) { put(t, key, []byte("hello")) }, false, "unreadable"},
		{"no key", func(t *testing.T, cert, key string) { must(t, os.Remove(key)) }, false, "none yet"},
		{"key is no key", func(t *testing.T, cert, key string) { put(t, key, encode("PRIVATE KEY", []byte("hello"))) }, false, "unreadable"},
		{"of another key", func(t *testing.T, cert, key string) { put(t, cert, foreignCert) }, true, "unreadable"},
		{"about to end", func(t *testing.T, cert, key string) { put(t, cert, foreignCert); put(t, key, foreignKey) }, false, "ends on"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, j := selfSignedConfig(t.TempDir(), ""), new(journal)
			first := shown(t, mustSource(t, cfg, new(journal), a))
			tt.spoil(t, filepath.Join(cfg.StateDir, stateCert), filepath.Join(cfg.StateDir, stateKey))
			second := shown(t, mustSource(t, cfg, j, a))
			j.wantCount(t, 1, "making a self-signed certificate", tt.because)
			if second.Equal(first) {
				t.Error("the certificate is the first one")
			}
			if kept := first.PublicKey.(*ecdsa.PublicKey).Equal(second.PublicKey); kept != tt.keyKept {
				t.Errorf("key kept: %v", kept)
			}
			third := shown(t, mustSource(t, cfg, j, a))
			if !third.Equal(second) {
				t.Error("the next start makes yet another one")
			}
			wantModes(t, cfg.StateDir)
		})
	}
}

// TestSelfSignedUnwritable serves from memory where nothing can be stored.
func TestSelfSignedUnwritable(t *testing.T) {
	dir, j := t.TempDir(), new(journal)
	cfg := selfSignedConfig(dir, "")
	put(t, cfg.StateDir, []byte("a file in the way"))
	s := mustSource(t, cfg, j, newAuthority(t))
	leaf := shown(t, s)
	for range 3 {
		s.Update(cfg)
	}
	if !shown(t, s).Equal(leaf) {
		t.Error("made anew each time")
	}
	j.wantCount(t, 1, "level=ERROR", "until the next start only")
}

// TestSelfSignedRenewal runs for two years, while what the box is called
// changes.
func TestSelfSignedRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, j := selfSignedConfig(t.TempDir(), "home.example"), new(journal)
		now, _ := testBox()
		s, err := newSource(cfg, j.logger(), func() (box, error) { return now, nil }, nil)
		must(t, err)
		first := shown(t, s)
		check := func(after time.Duration, made int, because string) *x509.Certificate {
			t.Helper()
			time.Sleep(after)
			s.mu.Lock()
			s.renew()
			s.mu.Unlock()
			j.wantCount(t, made, "making a self-signed certificate")
			if because != "" {
				j.wantCount(t, 1, "making a self-signed certificate", because)
			}
			return shown(t, s)
		}
		check(365*24*time.Hour, 1, "none yet")
		second := check(3*24*time.Hour, 2, "ends on")
		if second.NotAfter.Sub(first.NotAfter) < 360*24*time.Hour {
			t.Errorf("renewed until %v, the first until %v", second.NotAfter, first.NotAfter)
		}
		now.transient = []netip.Addr{netip.MustParseAddr("2a00::9:9"), netip.MustParseAddr("172.18.0.1")}
		now.public = []netip.Addr{netip.MustParseAddr("8.7.6.4")}
		now.lasting = now.lasting[:1]
		check(time.Minute, 2, "")
		now.lasting = []netip.Addr{netip.MustParseAddr("192.168.1.21")}
		third := check(time.Minute, 3, "not for 192.168.1.21")
		if err := third.VerifyHostname("2a00::9:9"); err != nil {
			t.Error(err)
		}
		now.hostname = "cellar"
		check(time.Minute, 4, "not for cellar")
		s.Update(selfSignedConfig(filepath.Dir(cfg.StateDir), "other.example"))
		last := check(0, 5, "not for other.example")
		if last.VerifyHostname("home.example") == nil {
			t.Error("still for the last domain")
		}
		if !first.PublicKey.(*ecdsa.PublicKey).Equal(last.PublicKey) {
			t.Error("the key has changed")
		}
		j.wantCount(t, 0, "level=ERROR")
	})
}

// TestSelfSignedMoves takes a box from one network to another and back, with a
// start in between: each makes one certificate at most.
func TestSelfSignedMoves(t *testing.T) {
	cfg, j := selfSignedConfig(t.TempDir(), ""), new(journal)
	now := box{hostname: "attic"}
	start := func(lan string) *x509.Certificate {
		t.Helper()
		now.lasting = []netip.Addr{netip.MustParseAddr(lan)}
		s, err := newSource(cfg, j.logger(), func() (box, error) { return now, nil }, nil)
		must(t, err)
		return shown(t, s)
	}
	start("192.168.1.20")
	now.public = []netip.Addr{netip.MustParseAddr("8.7.6.5")}
	start("10.0.0.20")
	now.public = nil
	last := start("172.16.0.20")
	for _, lan := range []string{"192.168.1.20", "10.0.0.20", "172.16.0.20"} {
		if !start(lan).Equal(last) {
			t.Errorf("back in the network of %s there is another certificate", lan)
		}
	}
	j.wantCount(t, 3, "making a self-signed certificate")
	if last.VerifyHostname("8.7.6.5") == nil {
		t.Error("a public address of the past is told to everybody")
	}
	for n := range 3 * maxExtra {
		last = start(netip.AddrFrom4([4]byte{10, 1, byte(n), 1}).String())
	}
	if n := len(last.IPAddresses); n != maxExtra+3 { // with both of loopback and the one of now
		t.Errorf("%d addresses", n)
	}
	if err := last.VerifyHostname("10.1.94.1"); err != nil {
		t.Error(err)
	}
}

// TestSelfSignedSlowClock starts with a clock that is a year behind, as on a
// board without a battery before it has asked for the time.
func TestSelfSignedSlowClock(t *testing.T) {
	cfg, j := selfSignedConfig(t.TempDir(), ""), new(journal)
	s := mustSource(t, cfg, new(journal), newAuthority(t))
	b, err := testBox()
	must(t, err)
	later := time.Now().Add(365 * 24 * time.Hour)
	p, err := s.sign(cfg.StateDir, newKey(t), subjectOf(s.wanted, b), later)
	must(t, err)
	s = mustSource(t, cfg, j, newAuthority(t))
	if !shown(t, s).Equal(p.cert.Leaf) {
		t.Error("the stored certificate is not shown")
	}
	s.Update(cfg)
	j.wantCount(t, 0, "making a self-signed certificate")
	j.wantCount(t, 1, "level=WARN", "the clock of this box may be wrong")
}

// TestSelfSignedClockLeaps makes a certificate while the clock is years behind,
// for an address that is new, and sets the clock right: that one stays good.
func TestSelfSignedClockLeaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, j := selfSignedConfig(t.TempDir(), ""), new(journal)
		now := box{hostname: "attic"}
		s, err := newSource(cfg, j.logger(), func() (box, error) { return now, nil }, nil)
		must(t, err)
		const years = 5 * 365 * 24 * time.Hour
		_, err = s.sign(cfg.StateDir, newKey(t), subjectOf(s.wanted, now), time.Now().Add(years))
		must(t, err)
		now.lasting = []netip.Addr{netip.MustParseAddr("192.168.1.20")}
		s, err = newSource(cfg, j.logger(), func() (box, error) { return now, nil }, nil)
		must(t, err)
		made := s.current.Load().cert.Leaf
		if err := made.VerifyHostname("192.168.1.20"); err != nil {
			t.Error(err)
		}
		time.Sleep(years)
		s.mu.Lock()
		s.renew()
		s.mu.Unlock()
		if !s.current.Load().cert.Leaf.Equal(made) || time.Now().After(made.NotAfter) || time.Now().Before(made.NotBefore) {
			t.Errorf("good from %v until %v, and replaced", made.NotBefore, made.NotAfter)
		}
	})
}

// TestSelfSignedByTheLoop sees Run itself renew, with the interfaces unreadable
// for a while.
func TestSelfSignedByTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, j := selfSignedConfig(t.TempDir(), ""), new(journal)
		start := time.Now()
		s, err := newSource(cfg, j.logger(), func() (box, error) {
			if hours := time.Since(start).Hours() - 366*24; hours > 1 && hours < 2 {
				return box{}, errors.New("out of descriptors")
			}
			return testBox()
		}, nil)
		must(t, err)
		time.Sleep(366 * 24 * time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.loop(ctx, newFollower(nil, s.log), nil, nil)
		}()
		time.Sleep(3 * time.Hour)
		j.wantCount(t, 1, "level=ERROR", "out of descriptors")
		j.wantCount(t, 1, "making a self-signed certificate")
		time.Sleep(24 * time.Hour)
		j.wantCount(t, 1, "making a self-signed certificate", "ends on")
		cancel()
		<-done
	})
}

func TestSubject(t *testing.T) {
	tests := []struct {
		name, host, hostname string
		names, addrs         string
	}{
		{"all", "home.example", "attic", "home.example localhost attic attic.local", "::1 127.0.0.1"},
		{"domain is an address", "203.0.113.5", "attic", "localhost attic attic.local", "203.0.113.5 ::1 127.0.0.1"},
		{"host name with a domain", "", "attic.lan", "localhost attic.lan", "::1 127.0.0.1"},
		{"host name that no certificate can hold", "", "my_box", "localhost", "::1 127.0.0.1"},
		{"host name is the domain", "attic", "attic", "attic localhost attic.local", "::1 127.0.0.1"},
		{"host name is localhost", "", "localhost", "localhost", "::1 127.0.0.1"},
		{"no host name", "", "", "localhost", "::1 127.0.0.1"},
		{"host name of a container", "", "3f2a9c0d1e4b", "localhost", "::1 127.0.0.1"},
	}
	for _, tt := range tests {
		s := subjectOf(settings{host: tt.host}, box{hostname: tt.hostname})
		var addrs []string
		for _, a := range s.addrs {
			addrs = append(addrs, a.String())
		}
		if names := strings.Join(s.names, " "); names != tt.names || strings.Join(addrs, " ") != tt.addrs {
			t.Errorf("%s: %q and %q, want %q and %q", tt.name, names, addrs, tt.names, tt.addrs)
		}
	}
}

func TestBoxSortsAddresses(t *testing.T) {
	var b box
	for _, in := range []struct{ name, ip string }{
		{"eth0", "192.168.1.2"}, {"eth0", "fe80::1"}, {"eth0", "169.254.1.1"}, {"eth0", "2a00::1"}, {"eth0", "fd00::1"},
		{"br-lan", "10.0.0.1"}, {"wan", "8.8.4.4"}, {"eth2", "100.64.0.9"}, {"ppp0", "8.8.8.8"}, {"tun0", "10.9.0.1"}, {"docker0", "172.17.0.1"},
		{"br-0123456789ab", "172.18.0.1"}, {"vethabc", "10.1.1.1"}, {"eth1", "224.0.0.1"}, {"eth1", "0.0.0.0"},
	} {
		b.add(in.name, in.name == "ppp0" || in.name == "tun0", net.ParseIP(in.ip))
	}
	list := func(addrs []netip.Addr) (s string) {
		for _, a := range addrs {
			s += a.String() + " "
		}
		return strings.TrimSpace(s)
	}
	for what, pair := range map[string][2]string{
		"lasting":   {list(b.lasting), "192.168.1.2 fd00::1 10.0.0.1 100.64.0.9"},
		"public":    {list(b.public), "8.8.4.4"},
		"transient": {list(b.transient), "169.254.1.1 2a00::1 8.8.8.8 10.9.0.1 172.17.0.1 172.18.0.1 10.1.1.1"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %s, want %s", what, pair[0], pair[1])
		}
	}
	if _, err := readBox(); err != nil {
		t.Error(err)
	}
}

func TestCollector(t *testing.T) {
	s := mustSource(t, selfSignedConfig(t.TempDir(), ""), new(journal), newAuthority(t))
	s.Update(filesConfig(t.TempDir(), ""))
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s.Collector())
	families, err := registry.Gather()
	must(t, err)
	got := make(map[string]float64)
	for _, f := range families {
		got[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
	}
	if len(got) != 2 || got["icebox_tls_not_after_seconds"] != float64(s.NotAfter().Unix()) || got["icebox_tls_reload_errors_total"] != 1 {
		t.Errorf("metrics %v", got)
	}
	off, err := New(&config.Config{TLS: config.TLS{Source: "off"}}, new(journal).logger())
	must(t, err)
	registry = prometheus.NewPedanticRegistry()
	registry.MustRegister(off.Collector())
	if families, err := registry.Gather(); err != nil || len(families) != 0 {
		t.Errorf("metrics %v without TLS, error %v", families, err)
	}
}

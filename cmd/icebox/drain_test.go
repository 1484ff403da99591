package main

import (
	"errors"
	"net"
	"os"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// allocate makes a session of user on the box at address, a UDP listener, and
// returns how to end it.
func allocate(t *testing.T, address, user, password string) (end func() error, err error) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	relay, err := openRelay(t, conn, address, user, password)
	if err != nil {
		return nil, err
	}
	return relay.Close, nil
}

// boxWithSession is a serving box with one live session.
func boxWithSession(t *testing.T) (p *process, address, password string, end func() error) {
	t.Helper()
	dir := configDir(t, loopbackConfig)
	p = serving(t, dir)
	port := regexp.MustCompile(`"stun:[^"]*:(\d+)"`).FindStringSubmatch(p.stdout.String())
	if port == nil {
		t.Fatal("no STUN port on stdout")
	}
	address, password = "127.0.0.1:"+port[1], readText(t, dir, "state", "password-admin")
	end, err := allocate(t, address, "admin", password)
	if err != nil {
		t.Fatal(err)
	}
	return p, address, password, end
}

func TestSIGTERMDrains(t *testing.T) {
	p, address, password, end := boxWithSession(t)
	p.signal(t, syscall.SIGTERM)
	p.until(t, &p.stderr, "draining")
	if _, err := allocate(t, address, "admin", password); err == nil {
		t.Error("a draining box takes a new session")
	}
	select {
	case <-p.ended:
		t.Fatal("it has stopped under a live session")
	default:
	}
	if err := end(); err != nil && !errors.Is(err, os.ErrClosed) {
		t.Fatal(err)
	}
	if got := p.wait(t); got.code != exitOK {
		t.Errorf("exit code %d, want 0", got.code)
	}
}

func TestASecondSignalEndsTheDrain(t *testing.T) {
	p, _, _, _ := boxWithSession(t)
	p.signal(t, syscall.SIGTERM)
	p.until(t, &p.stderr, "draining")
	begin := time.Now()
	p.signal(t, syscall.SIGTERM)
	if got := p.wait(t); got.code != exitOK {
		t.Errorf("exit code %d, want 0", got.code)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %v after the second signal", took)
	}
}

package e2e

import (
	"bytes"
	"errors"
	"net"
	"testing"
	"time"

	"icebox/internal/boxtest"
	"icebox/natlab"
)

// TestKilled: after kill -9 and a new start the box serves again in under two
// seconds, as seen from the internet, and a call that went through it comes back
// by itself.
func TestKilled(t *testing.T) {
	w := newWorld(t)
	outside := w.lab.Host("outside", "203.0.113.5")
	alice := caller(t, w.home(symmetric).Host("alice"), "killed")
	bob := caller(t, w.home(symmetric).Host("bob"), "killed")
	call(t, alice, bob)

	w.box.Kill()
	start := time.Now()
	w.box.Start()
	serves(t, outside)
	took := time.Since(start)
	t.Logf("serving again after %v", took)
	if took > 2*time.Second {
		t.Error("want it under 2 s")
	}
	moving(t, alice, bob)
}

// serves waits until both HTTPS and STUN over UDP answer.
func serves(t *testing.T, from *natlab.Host) {
	t.Helper()
	client := boxtest.HTTPS(from)
	boxtest.Eventually(t, moment, "HTTPS answers", func() error {
		return boxtest.Healthy(client, "https://"+boxPublic+":3002")
	})
	conn, err := from.Dial(t.Context(), "udp", net.JoinHostPort(boxPublic, "3478"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	boxtest.Eventually(t, moment, "STUN answers", func() error { return binding(conn) })
}

// binding makes one STUN Binding request (RFC 8489, section 5) and waits shortly
// for its success.
func binding(conn net.Conn) error {
	const transaction = "\x21\x12\xa4\x42transaction "
	if _, err := conn.Write([]byte("\x00\x01\x00\x00" + transaction)); err != nil {
		return err
	}
	conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	answer := make([]byte, 1500)
	n, err := conn.Read(answer)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(answer[:n], []byte("\x01\x01")) || !bytes.Equal(answer[4:20], []byte(transaction)) {
		return errors.New("an answer that is none")
	}
	return nil
}

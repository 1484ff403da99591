package main

import (
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestHurryStallsNobody: the scheduler goes on to look for what comes by streams when a
// worker of the data path begins to hurry. It did so once in 10 ms, which a third of what
// came just then had to wait.
func TestHurryStallsNobody(t *testing.T) {
	p := serving(t, configDir(t, strings.Replace(loopbackConfig, "turn:\n",
		"turn:\n  limits: {unauthenticated: {rate: 100000, burst: 100000}}\n", 1)))
	dial := func(network, url string) net.Conn {
		port := regexp.MustCompile(url).FindStringSubmatch(p.stdout.String())
		if port == nil {
			t.Fatalf("no %s on stdout", url)
		}
		conn, err := net.Dial(network, "127.0.0.1:"+port[1])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	udp, tcp := dial("udp4", `"stun:[^"]*:(\d+)"`), dial("tcp4", `"turn:[^"]*:(\d+)\?transport=tcp"`)
	// A Binding request (RFC 8489 section 5), and the head of its answer.
	request, head := []byte("\x00\x01\x00\x00\x21\x12\xa4\x42transaction "), make([]byte, 20)
	stalls := func(hurry bool) (n int) {
		for range 60 {
			time.Sleep(45 * time.Millisecond) // it is slow again
			for range 14 {
				if hurry {
					udp.Write([]byte("nothing"))
				}
				for sent := time.Now(); time.Since(sent) < 200*time.Microsecond; { // a sleep can be much longer
				}
			}
			began := time.Now()
			tcp.SetDeadline(began.Add(patience))
			tcp.Write(request)
			if _, err := io.ReadFull(tcp, head); err != nil {
				t.Fatal(err)
			}
			if _, err := io.CopyN(io.Discard, tcp, int64(head[2])<<8|int64(head[3])); err != nil {
				t.Fatal(err)
			}
			if time.Since(began) > 5*time.Millisecond {
				n++
			}
		}
		return n
	}
	if calm, hurried := stalls(false), stalls(true); hurried > calm+10 {
		t.Errorf("%d of 60 answers took more than 5 ms where packets came, %d where none did", hurried, calm)
	}
}

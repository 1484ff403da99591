package signaling

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// peersPlan is the variable that makes this test binary a process of peers.
const peersPlan = "ICEBOX_SIGNALING_TEST_PEERS"

// plan says what a process of peers does: connect, say so, and then once for
// each line of its input send Rounds times Window messages from the first peer,
// each window only when all others have the one before.
type plan struct {
	URL     string
	Peers   int
	Size    int // bytes of a message
	Rounds  int
	Window  int
	Senders int
}

// peers is such a process, seen from the test.
type peers struct {
	b   testing.TB
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startPeers(b testing.TB, p plan) *peers {
	b.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), peersPlan+"="+string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ps := &peers{b: b, cmd: cmd, in: in, out: bufio.NewScanner(out)}
	b.Cleanup(ps.stop)
	ps.expect("ready")
	return ps
}

func (p *peers) expect(word string) {
	p.b.Helper()
	if !p.out.Scan() || p.out.Text() != word {
		p.b.Fatalf("peers said %q instead of %q", p.out.Text(), word)
	}
}

// run has the peers do their plan once.
func (p *peers) run() {
	p.b.Helper()
	fmt.Fprintln(p.in, "go")
	p.expect("done")
}

func (p *peers) stop() {
	p.in.Close()
	p.cmd.Wait()
}

// runPeers is that process.
func runPeers(text string) error {
	var p plan
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	conns, err := dialAll(p)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if err := p.flood(conns); err != nil {
			return err
		}
		fmt.Println("done")
	}
	return nil
}

func dialAll(p plan) ([]*websocket.Conn, error) {
	d := websocket.Dialer{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		ReadBufferSize:  4096, WriteBufferSize: 4096,
	}
	conns := make([]*websocket.Conn, p.Peers)
	for i := range conns {
		c, _, err := d.Dial(p.URL, nil)
		if err != nil {
			return nil, fmt.Errorf("peer %d: %w", i, err)
		}
		conns[i] = c
	}
	return conns, nil
}

func (p plan) flood(conns []*websocket.Conn) error {
	text := []byte(strings.Repeat("x", p.Size))
	size := len(newFrame(websocket.TextMessage, text).wire)
	for range p.Rounds {
		var wg sync.WaitGroup
		errs := make(chan error, len(conns))
		for _, c := range conns[1:] {
			wg.Go(func() {
				_, err := io.CopyN(io.Discard, c.NetConn(), int64(size*p.Window))
				errs <- err
			})
		}
		for range p.Window {
			if err := conns[0].WriteMessage(websocket.TextMessage, text); err != nil {
				return err
			}
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

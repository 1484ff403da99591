package bench

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

// visitor is one WebSocket of the load.
type visitor struct {
	*websocket.Conn
	id string // in a room of icebox; empty elsewhere
}

// tlsSessions spares both ends most of the cryptography when a crowd connects.
var tlsSessions = tls.NewLRUClientSessionCache(64)

// call connects one visitor. With slow, its kernel takes little before it stops.
func (s *stage) call(path string, slow bool) (*visitor, error) {
	d := websocket.Dialer{
		TLSClientConfig:  &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tlsSessions},
		HandshakeTimeout: 30 * time.Second, ReadBufferSize: 512, WriteBufferSize: 512,
	}
	if slow {
		d.NetDial = dialSlow
	}
	c, _, err := d.Dial("wss://"+s.address+path, nil)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	v := &visitor{Conn: c}
	if s.rooms {
		var welcome struct{ ID string }
		if err := c.ReadJSON(&welcome); err != nil {
			return nil, fmt.Errorf("waiting for the welcome: %w", err)
		}
		v.id = welcome.ID
	}
	return v, nil
}

func dialSlow(network, address string) (net.Conn, error) {
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var set error
		if err := c.Control(func(fd uintptr) {
			set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
		}); err != nil {
			return err
		}
		return set
	}}
	return d.Dial(network, address)
}

// crowd connects n visitors, many at a time; where says to which path each goes.
func (s *stage) crowd(n int, where func(i int) string) ([]*visitor, error) {
	all := make([]*visitor, n)
	errs := make(chan error, n)
	places := make(chan int)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range places {
				v, err := s.call(where(i), false)
				if err != nil {
					errs <- err
					continue
				}
				all[i] = v
			}
		})
	}
	for i := range n {
		places <- i
	}
	close(places)
	wg.Wait()
	close(errs)
	return all, <-errs
}

// gather connects n visitors to one path and waits until each of them gets what is
// said there. Without a welcome there is no telling when that is: other servers
// answer the handshake a moment before.
func (s *stage) gather(n int, path string) ([]*visitor, error) {
	all, err := s.crowd(n, func(int) string { return path })
	if err == nil && !s.rooms {
		time.Sleep(settle)
	}
	return all, err
}

func leave(all []*visitor) {
	for _, v := range all {
		if v != nil {
			v.NetConn().(*tls.Conn).NetConn().Close()
		}
	}
}

// text is a message of about size bytes, for one visitor where to is one.
func text(size int, to string) []byte {
	m := map[string]string{"type": "ice", "ice": strings.Repeat("x", max(0, size-30))}
	if to != "" {
		m["to"] = to
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}

// mark is in every message of a measurement, and in no other.
const mark = `"ice"`

// hear reads messages until n with the mark have come.
func (v *visitor) hear(n int) error {
	buf := make([]byte, 4096)
	for n > 0 {
		_, r, err := v.NextReader()
		if err != nil {
			return fmt.Errorf("%d messages are missing: %w", n, err)
		}
		k, err := io.ReadFull(r, buf)
		if err != nil && err != io.ErrUnexpectedEOF {
			return fmt.Errorf("%d messages are missing: %w", n, err)
		}
		if strings.Contains(string(buf[:min(k, 100)]), mark) {
			n--
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return fmt.Errorf("%d messages are missing: %w", n, err)
		}
	}
	return nil
}

// lost is a message that has not come for so long.
const lost = 30 * time.Second

// flood sends count messages from the first visitor to all others, window at a
// time, each window when all have the one before.
func flood(all []*visitor, size, count, window int) error {
	message := text(size, "")
	for range count / window {
		for _, v := range all {
			v.SetReadDeadline(time.Now().Add(lost))
		}
		var wg sync.WaitGroup
		errs := make(chan error, len(all))
		for _, v := range all[1:] {
			wg.Go(func() { errs <- v.hear(window) })
		}
		for range window {
			if err := all[0].WriteMessage(websocket.TextMessage, message); err != nil {
				return err
			}
		}
		wg.Wait()
		for range all[1:] {
			if err := <-errs; err != nil {
				return err
			}
		}
	}
	return nil
}

// converse sends count messages of size from the first visitor, one every pause, and
// returns how long each took to reach the last of the others. One that takes longer
// than standstill takes that long, and is the last.
func converse(all []*visitor, size, count int, pause time.Duration) []time.Duration {
	message := text(size, "")
	var took []time.Duration
	for range count {
		begin := time.Now()
		if all[0].WriteMessage(websocket.TextMessage, message) != nil {
			return append(took, standstill)
		}
		var wg sync.WaitGroup
		errs := make(chan error, len(all))
		for _, v := range all[1:] {
			v.SetReadDeadline(begin.Add(standstill))
			wg.Go(func() { errs <- v.hear(1) })
		}
		wg.Wait()
		took = append(took, time.Since(begin))
		for range all[1:] {
			if <-errs != nil {
				return append(took, standstill)
			}
		}
		time.Sleep(pause)
	}
	return took
}

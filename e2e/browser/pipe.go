package browser

import (
	"bufio"
	"bytes"
	"io"
	"sync"
)

// pipe carries the messages of the DevTools protocol over two pipes, each
// message ended by a NUL (--remote-debugging-pipe).
type pipe struct {
	from *bufio.Reader

	mu sync.Mutex // guards to: a message is written whole
	to io.Writer
}

func newPipe(from io.Reader, to io.Writer) *pipe {
	return &pipe{from: bufio.NewReader(from), to: to}
}

// Send writes one message.
func (p *pipe) Send(message []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := p.to.Write(append(bytes.Clone(message), 0))
	return err
}

// Read waits for one message. At the end of the browser it gives io.EOF.
func (p *pipe) Read() ([]byte, error) {
	message, err := p.from.ReadBytes(0)
	if err != nil {
		return nil, err
	}
	return message[:len(message)-1], nil
}

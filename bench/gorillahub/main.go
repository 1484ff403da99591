// Command gorillahub is a WebSocket hub as the examples of gorilla/websocket have
// it: a goroutine with the list of sockets, and two for each socket. It is what
// icebox's signaling is compared with, and for measuring alone.
package main

import (
	"flag"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/gorilla/websocket"
)

// As in the example.
const (
	writeWait  = 10 * time.Second
	pongWait   = 60 * time.Second
	pingPeriod = pongWait * 9 / 10
	maxMessage = 65536
)

var upgrader = websocket.Upgrader{
	ReadBufferSize: 1024, WriteBufferSize: 1024,
	CheckOrigin: func(*http.Request) bool { return true },
}

// client is one socket.
type client struct {
	conn *websocket.Conn
	send chan []byte
}

// post is a message for all but its sender.
type post struct {
	from *client
	text []byte
}

// hub owns the list of clients.
type hub struct {
	clients    map[*client]bool
	posts      chan post
	register   chan *client
	unregister chan *client
}

func (h *hub) run() {
	for {
		select {
		case c := <-h.register:
			h.clients[c] = true
		case c := <-h.unregister:
			h.drop(c)
		case p := <-h.posts:
			for c := range h.clients {
				if c == p.from {
					continue
				}
				select {
				case c.send <- p.text:
				default:
					h.drop(c)
				}
			}
		}
	}
}

func (h *hub) drop(c *client) {
	if h.clients[c] {
		delete(h.clients, c)
		close(c.send)
	}
}

func (h *hub) read(c *client) {
	defer func() {
		h.unregister <- c
		c.conn.Close()
	}()
	c.conn.SetReadLimit(maxMessage)
	c.conn.SetReadDeadline(time.Now().Add(pongWait))
	c.conn.SetPongHandler(func(string) error { return c.conn.SetReadDeadline(time.Now().Add(pongWait)) })
	for {
		_, text, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		h.posts <- post{c, text}
	}
}

func (c *client) write() {
	ticker := time.NewTicker(pingPeriod)
	defer func() {
		ticker.Stop()
		c.conn.Close()
	}()
	for {
		select {
		case text, open := <-c.send:
			c.conn.SetWriteDeadline(time.Now().Add(writeWait))
			if !open {
				c.conn.WriteMessage(websocket.CloseMessage, nil)
				return
			}
			if c.conn.WriteMessage(websocket.TextMessage, text) != nil {
				return
			}
		case <-ticker.C:
			c.conn.SetWriteDeadline(time.Now().Add(writeWait))
			if c.conn.WriteMessage(websocket.PingMessage, nil) != nil {
				return
			}
		}
	}
}

func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		log.Println(err)
		return
	}
	c := &client{conn: conn, send: make(chan []byte, 256)}
	h.register <- c
	go c.write()
	go h.read(c)
}

func main() {
	listen := flag.String("listen", "", "IP:PORT to listen on")
	cert := flag.String("cert", "", "certificate, PEM")
	key := flag.String("key", "", "its key, PEM")
	flag.Parse()
	h := &hub{make(map[*client]bool), make(chan post), make(chan *client), make(chan *client)}
	go h.run()
	http.HandleFunc("/", h.serve)
	log.Println(http.ListenAndServeTLS(*listen, *cert, *key, nil))
	os.Exit(1)
}

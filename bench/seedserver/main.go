// Command seedserver is the first signaling server of this project as its notes
// have it: every message goes to every other socket. Only its map is guarded, so
// that it runs with more than one socket. It is what icebox's signaling is
// compared with, and for measuring alone.
package main

import (
	"flag"
	"log"
	"net/http"
	"os"
	"sync"

	"github.com/gorilla/websocket"
)

// message is what the notes' clients send. Other fields get lost.
type message struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	SDP  string `json:"sdp"`
	ICE  string `json:"ice"`
}

var (
	mu    sync.Mutex // guards conns, and lets one write at a time
	conns = make(map[*websocket.Conn]bool)
)

func handleConnection(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		log.Println("upgrading failed:", err)
		return
	}
	mu.Lock()
	conns[conn] = true
	mu.Unlock()
	defer func() {
		mu.Lock()
		delete(conns, conn)
		mu.Unlock()
		conn.Close()
	}()
	for {
		var m message
		if err := conn.ReadJSON(&m); err != nil {
			return
		}
		log.Println("message:", m.Type)
		broadcast(conn, m)
	}
}

func broadcast(from *websocket.Conn, m message) {
	mu.Lock()
	defer mu.Unlock()
	for c := range conns {
		if c != from {
			c.WriteJSON(m)
		}
	}
}

func main() {
	listen := flag.String("listen", "", "IP:PORT to listen on")
	cert := flag.String("cert", "", "certificate, PEM")
	key := flag.String("key", "", "its key, PEM")
	flag.Parse()
	http.HandleFunc("/", handleConnection)
	log.Println(http.ListenAndServeTLS(*listen, *cert, *key, nil))
	os.Exit(1)
}

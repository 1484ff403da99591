package signaling

import (
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestLeavesAmongMessages: who closes its socket, or is sent away, while others
// send has left at once, and is not taken for one that has lost its connection.
func TestLeavesAmongMessages(t *testing.T) {
	const leaving = 100
	for name, leave := range map[string]func(*guest){
		"closes": func(g *guest) {
			g.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(patience))
		},
		"breaks a rule": func(g *guest) { g.WriteMessage(websocket.BinaryMessage, []byte("x")) },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := unlimited()
			cfg.Signaling.MaxPeers, cfg.Signaling.Resume = 2*leaving, time.Hour
			s, url := start(t, cfg)
			stop := make(chan struct{})
			var senders sync.WaitGroup
			for range 2 {
				from := welcomed(t, dial(t, url+"/ws/r"))
				from.ignore()
				senders.Go(func() {
					for {
						select {
						case <-stop:
							return
						case <-time.After(50 * time.Microsecond): // a flood would be too much for the guests
							from.WriteMessage(websocket.TextMessage, []byte(`{"type":"n"}`))
						}
					}
				})
			}
			for range leaving {
				g := welcomed(t, dial(t, url+"/ws/r"))
				g.ignore()
				leave(g)
			}
			waitFor(t, "all to have left", func() bool {
				s.roster.mu.Lock()
				defer s.roster.mu.Unlock()
				return len(s.roster.ids) == 2
			})
			close(stop)
			senders.Wait()
		})
	}
}

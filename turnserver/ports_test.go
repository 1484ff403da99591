package turnserver

import (
	"testing"
	"testing/synctest"
)

// Who asks while the last port is on its way back gets it, and who asks for one
// that nobody gives back is told so at once.
func TestPortsOnTheirWayBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPorts(50000, 50001)
		first, _ := p.take()
		p.take()
		if port, ok := p.take(); ok {
			t.Fatalf("a third port of two: %d", port)
		}
		p.leave()
		got := make(chan uint16, 1)
		go func() {
			port, _ := p.take()
			got <- port
		}()
		synctest.Wait()
		if len(got) > 0 {
			t.Fatalf("port %d was given out while its socket was open", <-got)
		}
		p.returned(first)
		if port := <-got; port != first {
			t.Errorf("port %d, want %d", port, first)
		}
		if port, ok := p.take(); ok {
			t.Errorf("a third port of two: %d", port)
		}
	})
}

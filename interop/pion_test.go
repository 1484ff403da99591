package interop

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/pion/turn/v3"
)

// patience is how long an answer may take.
const patience = 5 * time.Second

// TestPion relays with the TURN client that WebRTC in Go has: the first message
// to a peer goes in a Send indication, and the ones after its channel is bound in
// ChannelData.
func TestPion(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name string
		dial func(*testing.T, *world) (net.PacketConn, error)
	}{
		{"udp", func(_ *testing.T, w *world) (net.PacketConn, error) { return w.client.ListenPacket("udp4", ":0") }},
		{"tcp", func(_ *testing.T, w *world) (net.PacketConn, error) { return stream(w.dialTCP("3478")) }},
		{"tls on the signaling port", func(t *testing.T, w *world) (net.PacketConn, error) { return stream(w.dialTLS(t, "3002")) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn, err := c.dial(t, w)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			relayWithPion(t, w, conn)
		})
	}
}

func (w *world) dialTCP(port string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return w.client.Dial(ctx, "tcp", net.JoinHostPort(w.box.Addr().String(), port))
}

// dialTLS verifies the certificate of the box, and offers no ALPN, as pion.
func (w *world) dialTLS(t *testing.T, port string) (net.Conn, error) {
	t.Helper()
	root, err := os.ReadFile(w.authority.file)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(root)
	conn, err := w.dialTCP(port)
	if err != nil {
		return nil, err
	}
	return tls.Client(conn, &tls.Config{ServerName: boxName, RootCAs: roots}), nil
}

func stream(conn net.Conn, err error) (net.PacketConn, error) {
	if err != nil {
		return nil, err
	}
	return turn.NewSTUNConn(conn), nil
}

// relayWithPion lives through two allocations of one 5-tuple: the second can only
// be made when the first has ended.
func relayWithPion(t *testing.T, w *world, conn net.PacketConn) {
	t.Helper()
	client, err := turn.NewClient(&turn.ClientConfig{
		Conn:           conn,
		TURNServerAddr: net.JoinHostPort(w.box.Addr().String(), "3478"),
		Username:       user,
		Password:       password,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		relay, err := client.Allocate()
		if err != nil {
			t.Fatalf("Allocate: %v", err)
		}
		oneAllocation(t, w, client, relay)
		if err := relay.Close(); err != nil { // a Refresh with lifetime 0
			t.Fatalf("Refresh: %v", err)
		}
	}
}

func oneAllocation(t *testing.T, w *world, client *turn.Client, relay net.PacketConn) {
	t.Helper()
	if address := relay.LocalAddr().(*net.UDPAddr); !address.IP.Equal(w.box.Addr().AsSlice()) {
		t.Errorf("the relay is at %v, want the box", address)
	}
	peer, err := w.peer.ListenPacket("udp4", w.peer.Addr().String()+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if err := client.CreatePermission(peer.LocalAddr()); err != nil {
		t.Fatalf("CreatePermission: %v", err)
	}
	// pion binds a channel in the background when it first sends: the first of
	// these go in indications, the last in ChannelData. On a stream it waits for
	// nine bytes before it looks at a frame, so a payload has five at least.
	for i := range 60 {
		echo(t, relay, peer, bytes.Repeat([]byte{byte(i)}, 5+20*i))
		time.Sleep(5 * time.Millisecond)
	}
}

// echo sends a message from the relay to the peer and back.
func echo(t *testing.T, relay, peer net.PacketConn, message []byte) {
	t.Helper()
	if _, err := relay.WriteTo(message, peer.LocalAddr()); err != nil {
		t.Fatalf("to the peer: %v", err)
	}
	from, err := receive(peer, message)
	if err != nil {
		t.Fatalf("at the peer: %v", err)
	}
	if from.String() != relay.LocalAddr().String() {
		t.Errorf("it comes from %v, want the relay, %v", from, relay.LocalAddr())
	}
	if _, err := peer.WriteTo(message, from); err != nil {
		t.Fatalf("from the peer: %v", err)
	}
	if from, err = receive(relay, message); err != nil {
		t.Fatalf("at the client: %v", err)
	}
	if from.String() != peer.LocalAddr().String() {
		t.Errorf("it comes from %v, want the peer, %v", from, peer.LocalAddr())
	}
}

// receive waits for this message and says where it comes from.
func receive(conn net.PacketConn, message []byte) (net.Addr, error) {
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	got := make([]byte, 2000)
	n, from, err := conn.ReadFrom(got)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(got[:n], message) {
		return nil, fmt.Errorf("%d bytes, or others than were sent: want %d", n, len(message))
	}
	return from, nil
}

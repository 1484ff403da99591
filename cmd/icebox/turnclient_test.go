package main

import (
	"net"
	"testing"

	"github.com/pion/logging"
	"github.com/pion/turn/v3"
)

// openRelay makes a session of user on the box at address, a UDP listener that conn
// reaches, and returns its relay. It ends with the test.
func openRelay(t *testing.T, conn net.PacketConn, address, user, password string) (net.PacketConn, error) {
	t.Helper()
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: address, TURNServerAddr: address, Conn: conn,
		Username: user, Password: password, Realm: "icebox", LoggerFactory: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		conn.Close()
	})
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	return client.Allocate()
}

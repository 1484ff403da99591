// Command plainpion is pion/turn as its documentation shows it, with nothing
// around it: what icebox is compared with. It is for measuring alone: it has no
// limits and no peer policy.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/pion/turn/v3"
)

func main() {
	os.Exit(run())
}

func run() int {
	listen := flag.String("listen", "", "IP:PORT to listen on, UDP and TCP; relays have the same IP")
	realm := flag.String("realm", "", "realm")
	user := flag.String("user", "", "the one user")
	password := flag.String("password", "", "and the password")
	first := flag.Uint("first", 10000, "the lowest relay port")
	last := flag.Uint("last", 60000, "the highest relay port")
	flag.Parse()

	server, err := serve(*listen, *realm, *user, *password, uint16(*first), uint16(*last))
	if err != nil {
		fmt.Fprintln(os.Stderr, "plainpion:", err)
		return 1
	}
	defer server.Close()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	return 0
}

// serve starts a server with one user, whose key is made once.
func serve(listen, realm, user, password string, first, last uint16) (*turn.Server, error) {
	conn, err := net.ListenPacket("udp4", listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	listener, err := net.Listen("tcp4", listen)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("listen: %w", err)
	}
	ip := conn.LocalAddr().(*net.UDPAddr).IP
	relays := &turn.RelayAddressGeneratorPortRange{RelayAddress: ip, Address: ip.String(), MinPort: first, MaxPort: last}
	key := turn.GenerateAuthKey(user, realm, password)
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: realm,
		AuthHandler: func(name, _ string, _ net.Addr) ([]byte, bool) {
			return key, name == user
		},
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: conn, RelayAddressGenerator: relays}},
		ListenerConfigs:   []turn.ListenerConfig{{Listener: listener, RelayAddressGenerator: relays}},
	})
	if err != nil {
		conn.Close()
		listener.Close()
		return nil, fmt.Errorf("start: %w", err)
	}
	return server, nil
}

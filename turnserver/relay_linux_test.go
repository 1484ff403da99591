package turnserver

import (
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRelayBuffer: the relay sockets of both paths hold what a peer sends at once.
func TestRelayBuffer(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("buffers past the system's limit need root")
	}
	batch, err := openRelaySocket(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Close()
	plain, err := (&net.ListenConfig{Control: controlRelay}).ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for name, conn := range map[string]syscall.Conn{"batch": batch, "plain": plain.(*net.UDPConn)} {
		raw, err := conn.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Control(func(fd uintptr) {
			got, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
			if got != 2*relayBuffer { // socket(7): the kernel doubles it
				t.Errorf("%s: %d bytes, want %d: %v", name, got, 2*relayBuffer, err)
			}
		})
	}
}

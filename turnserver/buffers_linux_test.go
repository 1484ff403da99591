package turnserver

import (
	"net"
	"net/netip"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRelayBuffer: the relay sockets of both paths hold what a peer sends at once.
func TestRelayBuffer(t *testing.T) {
	needsLargeBuffers(t)
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
		checkBuffer(t, name, conn, unix.SO_RCVBUF, relayBuffer)
	}
}

// TestListenBuffer: the plain path's listeners hold a burst of all clients, as batch's do.
func TestListenBuffer(t *testing.T) {
	needsLargeBuffers(t)
	l, err := listenUDP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	for _, s := range l.sockets {
		checkBuffer(t, "to read", s.conn, unix.SO_RCVBUF, listenBuffer)
		checkBuffer(t, "to write", s.conn, unix.SO_SNDBUF, listenBuffer)
	}
}

// needsLargeBuffers skips where the kernel gives no more than its limit.
func needsLargeBuffers(t *testing.T) {
	t.Helper()
	scratch, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(scratch)
	if err := unix.SetsockoptInt(scratch, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, listenBuffer); err != nil {
		t.Skipf("a buffer past the system's limit needs CAP_NET_ADMIN: %v", err)
	}
}

func checkBuffer(t *testing.T, name string, conn syscall.Conn, option, want int) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		got, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, option)
		if got != 2*want { // socket(7): the kernel doubles it
			t.Errorf("%s: %d bytes, want %d: %v", name, got, 2*want, err)
		}
	})
}

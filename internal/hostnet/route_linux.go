package hostnet

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// preferPublic is IPV6_PREFER_SRC_PUBLIC (RFC 5014 section 3).
const preferPublic = 2

// preferLasting has the kernel choose a privacy address for a socket only where there
// is no other. Where it can't, the choice is as it always is.
func preferLasting(network, _ string, c syscall.RawConn) error {
	if network != "udp6" {
		return nil
	}
	return c.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_ADDR_PREFERENCES, preferPublic)
	})
}

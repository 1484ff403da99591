package turnserver

import (
	"errors"
	"syscall"
)

// Numbers of Winsock errors, which package syscall does not map to its own.
const (
	wsaAccess      = syscall.Errno(10013)
	wsaMessageSize = syscall.Errno(10040)
	wsaAddrInUse   = syscall.Errno(10048)
)

// sendDrop is the cause that an error of a send counts as.
func sendDrop(err error) drop {
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOBUFS):
		return dropNoBuffer
	case errors.Is(err, syscall.EMSGSIZE), errors.Is(err, wsaMessageSize):
		return dropTooBig
	}
	return dropSendError
}

// portTaken says whether binding failed since something else has the port.
func portTaken(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaAddrInUse) || errors.Is(err, wsaAccess)
}

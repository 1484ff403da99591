package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"runtime"
	"syscall"
)

// explainListen adds to the error of a listener, or of asking for the addresses of
// this machine, what can be done about it. The error itself names the key and the
// address. Others are left alone: what a certificate's key may not be read for has
// nothing to do with a port.
func explainListen(err error) error {
	var failed *net.OpError
	switch {
	case !errors.As(err, &failed):
	case failed.Op == "route":
		return fmt.Errorf("%w\nicebox has to know the addresses of this machine: what it runs in must let it have AF_NETLINK sockets, in systemd RestrictAddressFamilies", err)
	case failed.Op != "listen":
	case isErrno(err, syscall.EADDRINUSE, 10048):
		return fmt.Errorf("%w\nAnother program, or another icebox, has this port: stop it, or give that key another port", err)
	case isErrno(err, syscall.EADDRNOTAVAIL, 10049):
		return fmt.Errorf("%w\nThis machine does not have that address: take one that it has, or, for what is to be reached from outside, leave the host out (\":PORT\") to serve on all", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w\nThe system does not allow it: ports below 1024 need root or the capability net_bind_service", err)
	}
	return err
}

// isErrno says whether err is the error number; Windows has its own for sockets.
func isErrno(err error, unix syscall.Errno, windows syscall.Errno) bool {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return false
	}
	return number == unix || runtime.GOOS == "windows" && number == windows
}

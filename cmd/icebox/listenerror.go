package main

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"syscall"
)

// explainListen adds to the error of a listener what can be done about it. The
// error itself names the key and the address.
func explainListen(err error) error {
	switch {
	case isErrno(err, syscall.EADDRINUSE, 10048):
		return fmt.Errorf("%w\nAnother program, or another icebox, has this port: stop it, or give that key another port", err)
	case isErrno(err, syscall.EADDRNOTAVAIL, 10049):
		return fmt.Errorf("%w\nThis machine does not have that address: leave the host out (\":PORT\") to serve on all it has", err)
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

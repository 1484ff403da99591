package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestExplainListen(t *testing.T) {
	listen := func(err error) error {
		return fmt.Errorf("signaling.listen: %w", &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", err)})
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{listen(syscall.EADDRINUSE), "stop it"},
		{listen(syscall.EADDRNOTAVAIL), "leave the host out"},
		{listen(syscall.EACCES), "ports below 1024"},
		{&net.OpError{Op: "route", Net: "ip+net", Err: os.NewSyscallError("netlinkrib", syscall.EACCES)}, "AF_NETLINK"},
		{fmt.Errorf("getting a certificate: %w", &os.PathError{Op: "open", Path: "privkey.pem", Err: syscall.EACCES}), ""},
		{errors.New("another fault"), ""},
	} {
		got := explainListen(c.err)
		if !errors.Is(got, c.err) || !strings.HasPrefix(got.Error(), c.err.Error()) {
			t.Errorf("%v became %v", c.err, got)
		}
		if advice := strings.TrimPrefix(got.Error(), c.err.Error()); !strings.Contains(advice, c.want) || c.want == "" && advice != "" {
			t.Errorf("%v: advice %q, want %q in it", c.err, advice, c.want)
		}
	}
}

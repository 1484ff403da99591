package natlab

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// node is a namespace and what can be done inside it. Host, Router and Internet
// are nodes.
type node struct {
	lab   *Lab
	name  string
	ns    *namespace
	addrs []netip.Addr // of the interface that leads to the internet
}

// Name is the name that the test gave it.
func (n *node) Name() string { return n.name }

// Addr is its first IPv4 address (a router's outer one), or the zero Addr.
func (n *node) Addr() netip.Addr { return n.first(netip.Addr.Is4) }

// Addr6 is its first IPv6 address, or the zero Addr.
func (n *node) Addr6() netip.Addr { return n.first(netip.Addr.Is6) }

func (n *node) first(is func(netip.Addr) bool) netip.Addr {
	for _, a := range n.addrs {
		if is(a) {
			return a
		}
	}
	return netip.Addr{}
}

// Do calls fn with the calling goroutine inside the namespace. Sockets that fn
// opens stay in the namespace for good, wherever they are used later;
// goroutines that fn starts do not run inside.
func (n *node) Do(fn func() error) error {
	if err := n.ns.do(fn); err != nil {
		return fmt.Errorf("in %s: %w", n.name, err)
	}
	return nil
}

// Command gives a process, not yet started, that runs inside the namespace. It
// is killed with its process group when ctx ends, and with all its children
// when the test ends. What the caller adds to its environment must be appended
// to Env, and its SysProcAttr must stay.
func (n *node) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	inside := append([]string{"--net=" + n.ns.path(), "--", name}, args...)
	cmd := exec.CommandContext(ctx, "nsenter", inside...)
	cmd.Env = append(os.Environ(), n.lab.owner.environ())
	bind(cmd)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// ListenPacket is net.ListenPacket inside the namespace. The host in address is
// a number or empty. The caller closes it.
func (n *node) ListenPacket(network, address string) (net.PacketConn, error) {
	var conn net.PacketConn
	err := n.Do(func() (err error) {
		conn, err = net.ListenPacket(network, address)
		return err
	})
	return conn, err
}

// Listen is net.Listen inside the namespace, as ListenPacket.
func (n *node) Listen(network, address string) (net.Listener, error) {
	var l net.Listener
	err := n.Do(func() (err error) {
		l, err = net.Listen(network, address)
		return err
	})
	return l, err
}

// Dial connects from inside the namespace, and fits http.Transport.DialContext.
// The host in address is a number: there is no DNS.
func (n *node) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var conn net.Conn
	err := n.Do(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// run runs a program inside with this input, and ends the test where it fails.
func (n *node) run(input, name string, args ...string) {
	n.lab.t.Helper()
	err := n.Do(func() error {
		cmd := exec.Command(name, args...)
		cmd.Stdin = strings.NewReader(input)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s %s: %w\n%sinput:\n%s", name, strings.Join(args, " "), err, out, input)
		}
		return nil
	})
	if err != nil {
		n.lab.t.Fatalf("natlab: %v", err)
	}
}

// ip carries out lines of the ip program.
func (n *node) ip(lines ...string) {
	n.lab.t.Helper()
	n.run(strings.Join(lines, "\n")+"\n", "ip", "-batch", "-")
}

// addAddress is the line for ip that gives an interface an address. An IPv6 one
// can be used at once: nobody else can have it.
func addAddress(p netip.Prefix, device string) string {
	line := fmt.Sprintf("addr add %s dev %s", p, device)
	if p.Addr().Is6() {
		line += " nodad"
	}
	return line
}

// carries waits until the interfaces take packets, which can be a second after
// both ends of a wire are up: until then the kernel drops what is sent.
func (n *node) carries(names ...string) {
	n.lab.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for _, name := range names {
		for running := false; !running; {
			err := n.Do(func() error {
				i, err := net.InterfaceByName(name)
				running = err == nil && i.Flags&net.FlagRunning != 0
				return err
			})
			if err != nil || time.Now().After(deadline) {
				n.lab.t.Fatalf("natlab: %s of %s does not come up (%v)", name, n.name, err)
			}
			if !running {
				time.Sleep(time.Millisecond)
			}
		}
	}
}

// nft carries out lines of the nft program, all of them or none.
func (n *node) nft(lines ...string) {
	n.lab.t.Helper()
	n.run(strings.Join(lines, "\n")+"\n", "nft", "-f", "-")
}

// sysctl sets those of these variables that the kernel has.
func (n *node) sysctl(variables map[string]string) {
	n.lab.t.Helper()
	err := n.Do(func() error {
		for name, value := range variables {
			path := filepath.Join("/proc/sys", strings.ReplaceAll(name, ".", "/"))
			if err := os.WriteFile(path, []byte(value), 0); err != nil && !os.IsNotExist(err) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		n.lab.t.Fatalf("natlab: %v", err)
	}
}

// forwarding makes a router of the node.
func (n *node) forwarding() {
	n.lab.t.Helper()
	n.sysctl(map[string]string{
		"net.ipv4.ip_forward":                 "1",
		"net.ipv6.conf.all.forwarding":        "1",
		"net.ipv4.conf.all.send_redirects":    "0",
		"net.bridge.bridge-nf-call-iptables":  "0",
		"net.bridge.bridge-nf-call-ip6tables": "0",
	})
}

func (n *node) close() {
	if err := n.ns.close(); err != nil {
		n.lab.t.Errorf("natlab: closing %s: %v", n.name, err)
	}
}

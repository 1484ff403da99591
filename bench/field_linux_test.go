package bench

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icebox/natlab"
)

// pin is how server and load run; each benchmark has a default of its own.
var pin = choose("pin", "server and load on one CPU each")

// choice is a flag that is on, off, or not given.
type choice struct{ value *bool }

func choose(name, usage string) *choice {
	c := new(choice)
	flag.BoolFunc(name, usage, func(text string) error {
		value, err := strconv.ParseBool(text)
		c.value = &value
		return err
	})
	return c
}

// or is what was given, else standard.
func (c *choice) or(standard bool) bool {
	if c.value == nil {
		return standard
	}
	return *c.value
}

// field is where servers are measured: the hosts of the server and of the load,
// and how both run.
type field struct {
	server, client       *natlab.Host
	peer                 *natlab.Host // where packets are relayed to; nil where none are
	serverCPU, clientCPU int          // below 0: any
}

// arrange gives server and load a CPU each where they should be pinned, and
// where there are two.
func (f *field) arrange(tb testing.TB, pinned bool) {
	tb.Helper()
	f.serverCPU, f.clientCPU = -1, -1
	if cpus := usable(); pinned && len(cpus) >= 2 {
		f.clientCPU, f.serverCPU = cpus[0], cpus[1]
	}
}

// with runs a contender, calls use with its process ID, and ends it.
func (f *field) with(tb testing.TB, c contender, use func(pid int) error) {
	tb.Helper()
	address := netip.AddrPortFrom(f.server.Addr(), 3478)
	dir := tb.TempDir()
	args, env, err := c.command(address, dir)
	if err != nil {
		tb.Fatalf("%s: %v", c.name, err)
	}
	if f.serverCPU >= 0 {
		args = append([]string{"taskset", "-c", strconv.Itoa(f.serverCPU)}, args...)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	cmd := f.server.Command(context.Background(), args[0], args[1:]...)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		tb.Fatalf("%s: %v", c.name, err)
	}
	defer end(cmd)
	if err := f.awaitReady(address); err != nil {
		tb.Fatalf("%s: %v\n%s", c.name, err, tail(log.Name()))
	}
	if err := use(cmd.Process.Pid); err != nil {
		tb.Fatalf("%s: %v\n%s", c.name, err, tail(log.Name()))
	}
}

// end kills a server: how it ends is not what is measured.
func end(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
}

func tail(name string) []byte {
	text, _ := os.ReadFile(name)
	return text[max(0, len(text)-4000):]
}

// awaitReady asks for a session without credentials until there is an answer.
func (f *field) awaitReady(address netip.AddrPort) error {
	conn, err := f.client.Dial(context.Background(), "udp4", address.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	m, buf := newMessages(userName, realm, password), make([]byte, 1500)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		conn.Write(m.ask(nil))
		conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, err := conn.Read(buf); err == nil {
			return nil
		} else if e, ok := err.(net.Error); !ok || !e.Timeout() {
			time.Sleep(50 * time.Millisecond)
		}
	}
	return fmt.Errorf("no answer within 20 s")
}

// usable are the CPUs that this process may run on.
func usable() []int {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return nil
	}
	var list []int
	for cpu := range max(runtime.NumCPU(), 1024) {
		if set.IsSet(cpu) {
			list = append(list, cpu)
		}
	}
	return list
}

// raiseFiles lets this process, and the servers after it, open enough files.
func raiseFiles(tb testing.TB, need uint64) {
	tb.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		tb.Fatal(err)
	}
	limit.Max = max(limit.Max, need)
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		tb.Skipf("needs %d open files (ulimit -n): %v", need, err)
	}
}

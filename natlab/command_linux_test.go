package natlab_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"icebox/natlab"
)

// namespaceOf names the network namespace of the calling thread.
func namespaceOf(t *testing.T) string {
	t.Helper()
	name, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestCommandRunsInside(t *testing.T) {
	lab := natlab.New(t)
	a := lab.Host("a", "203.0.113.10")
	out, err := a.Command(t.Context(), "ip", "-o", "-4", "addr", "show", "eth0").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "203.0.113.10/32") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestDoComesBack(t *testing.T) {
	lab := natlab.New(t)
	a, b := lab.Host("a", "203.0.113.10"), lab.Host("b", "203.0.113.11")
	outside := namespaceOf(t)
	fault := errors.New("fault")
	err := a.Do(func() error {
		inA := namespaceOf(t)
		if err := b.Do(func() error { return nil }); err != nil {
			return err
		}
		if now := namespaceOf(t); now != inA || now == outside {
			t.Errorf("in %s after another Do, want %s; outside is %s", now, inA, outside)
		}
		return fault
	})
	if !errors.Is(err, fault) {
		t.Errorf("error %v, want that of the function", err)
	}
	func() {
		defer func() { recover() }()
		a.Do(func() error { panic("in a namespace") })
	}()
	if now := namespaceOf(t); now != outside {
		t.Errorf("in %s after a panic, want %s", now, outside)
	}
}

// family starts a shell with a child in its process group and another one in a
// session of its own, and gives the numbers of all three.
func family(ctx context.Context, h *natlab.Host) (*exec.Cmd, []int, error) {
	cmd := h.Command(ctx, "sh", "-c", "sleep 1000 & echo $!; setsid sleep 1000 & echo $!; echo $$; wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	var pids []int
	for lines := bufio.NewScanner(out); len(pids) < 3 && lines.Scan(); {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			return nil, nil, err
		}
		pids = append(pids, pid)
	}
	return cmd, pids, nil
}

// running tells whether the process is there and has not ended.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return state[0] != 'Z' && state[0] != 'X'
}

// gone waits until none of the processes is running.
func gone(t *testing.T, pids ...int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		left := false
		for _, pid := range pids {
			left = left || running(pid)
		}
		if !left {
			return
		}
	}
	t.Errorf("of the processes %v some are still there", pids)
}

func TestContextEndsTheGroup(t *testing.T) {
	lab := natlab.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cmd, pids, err := family(ctx, lab.Host("a", "203.0.113.10"))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := cmd.Wait(); err == nil {
		t.Error("the command ended without an error")
	}
	gone(t, pids[0], pids[2])
}

func TestCleanupEndsProcesses(t *testing.T) {
	var pids []int
	var other int
	lab := natlab.New(t)
	bystander := lab.Host("bystander", "203.0.113.10").Command(t.Context(), "sleep", "1000")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	other = bystander.Process.Pid
	t.Run("lab", func(t *testing.T) {
		var err error
		_, pids, err = family(context.Background(), natlab.New(t).Host("a", "203.0.113.10"))
		if err != nil {
			t.Fatal(err)
		}
	})
	gone(t, pids...)
	if !running(other) {
		t.Error("a process of another lab was ended too")
	}
}

// panicking is set in the environment of this test's own child.
const panicking = "NATLAB_TEST_PANIC"

// TestCleanupAfterPanic lets a process build a lab with processes in it and die
// of a panic that runs no cleanups. Nothing of it may be left, at the latest when
// the next lab has begun.
func TestCleanupAfterPanic(t *testing.T) {
	lab := natlab.New(t)
	if os.Getenv(panicking) != "" {
		leave(lab)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCleanupAfterPanic$")
	child.Env = append(os.Environ(), panicking+"=1")
	var stderr bytes.Buffer
	child.Stderr = &stderr
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var namespace string
	var pids [3]int
	if _, err := fmt.Fscan(stdout, &namespace, &pids[0], &pids[1], &pids[2]); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	io.Copy(io.Discard, stdout)
	if err := child.Wait(); err == nil || !strings.Contains(stderr.String(), "on purpose") {
		t.Fatalf("the child did not panic: %v\n%s", err, &stderr)
	}
	gone(t, pids[2]) // it is the one that Command made
	if !running(pids[1]) {
		t.Error("the process in a session of its own is gone: there is nothing to sweep")
	}
	natlab.New(t)
	gone(t, pids[:]...)
	if users := inside(t, namespace); len(users) > 0 {
		t.Errorf("%s is still used by %v", namespace, users)
	}
}

// leave prints what there is to be cleaned up, and panics.
func leave(lab *natlab.Lab) {
	h := lab.Host("a", "203.0.113.10")
	cmd, pids, err := family(context.Background(), h)
	if err != nil {
		panic(err)
	}
	namespace, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid))
	if err != nil {
		panic(err)
	}
	fmt.Println(namespace, pids[0], pids[1], pids[2])
	go panic("on purpose")
	select {}
}

// inside lists the processes in a network namespace.
func inside(t *testing.T, namespace string) (pids []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name, err := os.Readlink("/proc/" + e.Name() + "/ns/net"); err == nil && name == namespace {
			pids = append(pids, e.Name())
		}
	}
	return pids
}

// TestSideBySide builds and uses labs with the same names and addresses at the
// same time.
func TestSideBySide(t *testing.T) {
	build := func(t *testing.T) (alice socket, r remotes) {
		lab := natlab.New(t)
		r = newRemotes(t, lab)
		return open(t, lab.Router("home", natlab.NAT{Public: "198.51.100.7"}).Host("alice"), ":40123"), r
	}
	stays, itsRemotes := build(t)
	t.Run("labs", func(t *testing.T) {
		for i := range 4 {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				s, r := build(t)
				for range 20 {
					text := fmt.Sprintf("of lab %d", i)
					s.send(r[0][0].addr(), text)
					r[0][0].expect(text)
				}
				r[1][1].silent()
			})
		}
	})
	stays.send(itsRemotes[0][0].addr(), "after all others")
	itsRemotes[0][0].expect("after all others")
}

// TestMachineIsUntouched compares the machine's own interfaces, routes and rules
// before a lab and with it.
func TestMachineIsUntouched(t *testing.T) {
	look := func() string {
		var all bytes.Buffer
		for _, args := range [][]string{
			{"ip", "-o", "link"}, {"ip", "-o", "addr"}, {"ip", "route"}, {"nft", "list", "ruleset"}, {"ip", "netns"},
		} {
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Stdout, cmd.Stderr = &all, &all
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v: %v\n%s", args, err, &all)
			}
		}
		return all.String()
	}
	lab := natlab.New(t)
	before := look()
	home := lab.Router("home", natlab.NAT{Public: "198.51.100.7", Hairpin: true})
	home.Forward("udp", 3478, home.Host("alice"))
	if now := look(); now != before {
		t.Errorf("before:\n%s\nnow:\n%s", before, now)
	}
}

func TestSignalReachesTheProgram(t *testing.T) {
	cmd := natlab.New(t).Host("a", "203.0.113.10").Command(t.Context(), "sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for !strings.HasPrefix(comm(cmd.Process.Pid), "sleep") {
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", cmd.ProcessState)
	}
}

func comm(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return string(name)
}

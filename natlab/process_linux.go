package natlab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// bind makes the command die with this process, and its whole group with its
// context. For the kernel "this process" is the thread that starts the command,
// which is why no thread may be ended while a lab is there.
func bind(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
}

func thisProcess() (process, error) { return processOf(os.Getpid()) }

// processOf reads the start time of a process: field 22 of its stat, of which
// the second, in parentheses, can hold anything.
func processOf(pid int) (process, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, err
	}
	_, rest, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')'):]), " ")
	fields := strings.Fields(rest)
	const started = 22 - 3
	if len(fields) <= started {
		return process{}, fmt.Errorf("/proc/%d/stat: %d fields are missing", pid, started+1-len(fields))
	}
	ticks, err := strconv.ParseUint(fields[started], 10, 64)
	if err != nil {
		return process{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
	}
	return process{pid, ticks}, nil
}

// endOrphans ends the processes of labs whose test process is dead.
func endOrphans() error {
	_, err := endProcesses(func(o owner) bool {
		now, err := processOf(o.process.pid)
		return err != nil || now != o.process
	})
	return err
}

// endProcesses kills the processes whose owner is chosen, and those that they
// start meanwhile, and waits up to five seconds until none is left. It names
// those that are.
func endProcesses(chosen func(owner) bool) (left []string, err error) {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if left, err = killOnce(chosen); err != nil || len(left) == 0 || time.Now().After(deadline) {
			return left, err
		}
	}
}

// killOnce kills the processes whose owner is chosen and names them.
func killOnce(chosen func(owner) bool) (found []string, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		// Empty for what has ended and was not waited for, and an error for what
		// has gone.
		environ, _ := os.ReadFile("/proc/" + e.Name() + "/environ")
		if o, ok := ownerOf(string(environ)); !ok || !chosen(o) {
			continue
		}
		name, _ := os.ReadFile("/proc/" + e.Name() + "/comm")
		found = append(found, fmt.Sprintf("%d (%s)", pid, strings.TrimSpace(string(name))))
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return found, fmt.Errorf("killing %d: %w", pid, err)
		}
	}
	return found, nil
}

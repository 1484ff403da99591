package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// What a box may take: a home router's flash and memory are small.
const (
	maxBinary = 20_000_000 // bytes, stripped
	maxIdle   = 25_000     // kilobytes in memory, idle
)

// buildRelease builds the binary as `make build` does.
func buildRelease(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "icebox")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// TestReleaseIsSmall holds the stripped binary and an idle box to their sizes.
func TestReleaseIsSmall(t *testing.T) {
	binary := buildRelease(t)
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the binary has %d bytes", info.Size())
	if info.Size() >= maxBinary {
		t.Errorf("the binary has %d bytes, the limit is %d", info.Size(), maxBinary)
	}
	if runtime.GOOS != "linux" {
		return // memory is read from /proc
	}
	p := startCommand(t, configDir(t, loopbackConfig), exec.Command(binary))
	p.until(t, &p.stdout, "icebox is serving.")
	get(t, pageOf(t, p)+"/", "", "")
	time.Sleep(time.Second)
	kilobytes := residentMemory(t, p.cmd.Process.Pid)
	t.Logf("an idle box takes %d kB", kilobytes)
	if kilobytes >= maxIdle {
		t.Errorf("an idle box takes %d kB, the limit is %d", kilobytes, maxIdle)
	}
}

// residentMemory is VmRSS of a process (proc_pid_status(5)), in kilobytes.
func residentMemory(t *testing.T, pid int) int {
	t.Helper()
	status := readText(t, "/proc", strconv.Itoa(pid), "status")
	found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindStringSubmatch(status)
	if found == nil {
		t.Fatal("no VmRSS in /proc")
	}
	kilobytes, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes
}

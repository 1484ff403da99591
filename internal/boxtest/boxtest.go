// Package boxtest builds the program and runs it for tests, as a process in the
// network namespace of a natlab host:
//
//	func TestMain(m *testing.M) { os.Exit(boxtest.Main(m)) }
//
//	box := boxtest.Start(t, host, configuration)
//
// It has a state directory of its own and is stopped when the test ends.
package boxtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// program is built once for all tests of a package.
var program struct {
	once sync.Once
	dir  string
	err  error
}

// Main runs the tests, removes what was built for them, and gives the exit code.
func Main(m *testing.M) int {
	defer func() {
		if program.dir != "" {
			os.RemoveAll(program.dir)
		}
	}()
	return m.Run()
}

// Build gives the path of the program, with the race detector in it where the
// tests have it. The package's TestMain must call Main.
func Build(t testing.TB) string {
	t.Helper()
	program.once.Do(func() { program.dir, program.err = build() })
	if program.err != nil {
		t.Fatalf("building icebox: %v", program.err)
	}
	return filepath.Join(program.dir, "icebox")
}

func build() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "icebox-test-"); err != nil {
		return "", err
	}
	args := []string{"build", "-o", dir}
	if raceDetector {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "icebox/cmd/icebox")...).CombinedOutput(); err != nil {
		return dir, fmt.Errorf("%w\n%s", err, out)
	}
	return dir, nil
}

// Lacks skips the test for want of something, and fails it where the environment
// has CI=true.
func Lacks(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("needs %s", what)
	}
	t.Skipf("needs %s", what)
}

// Eventually calls fn until it returns nil, and fails the test with its last
// error when that takes too long.
func Eventually(t testing.TB, within time.Duration, what string, fn func() error) {
	t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		err := fn()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waiting for %v until %s: %v", within, what, err)
		}
	}
}

package config

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// nobody is a user that has no rights here.
const nobody = 65534

// asNobody has the calling thread ask for files as nobody, until the function that is
// returned is called. Only root can.
func asNobody(t *testing.T) (undo func()) {
	t.Helper()
	needs(t, os.Geteuid() == 0, "root")
	runtime.LockOSThread()
	unix.Setfsuid(nobody)
	return func() {
		unix.Setfsuid(0)
		runtime.UnlockOSThread()
	}
}

// TestFindWhereClosed: root's shell is in a directory of its own when it runs a
// command as the user of the service.
func TestFindWhereClosed(t *testing.T) {
	house(t)
	write(t, "config.yaml", "")
	if err := os.Chmod(".", 0o700); err != nil {
		t.Fatal(err)
	}
	find := func() string {
		defer asNobody(t)()
		return Find()
	}
	if got := find(); got != "" && got != "/etc/icebox/config.yaml" {
		t.Errorf("found %q in a directory that can't be entered", got)
	}
	if err := os.Chmod(".", 0o755); err != nil {
		t.Fatal(err)
	}
	if got := find(); got != "config.yaml" {
		t.Errorf("found %q, want the file that can't be read", got)
	}
	if err := errors.Join(os.Mkdir("closed", 0o700), os.Rename("config.yaml", "closed/config.yaml"),
		os.Symlink("closed/config.yaml", "config.yaml")); err != nil {
		t.Fatal(err)
	}
	if got := find(); got != "config.yaml" {
		t.Errorf("found %q, want the link whose file can't be reached", got)
	}
}

// TestLoadFromNowhere: a file that is named in full is read wherever that is done,
// also where the working directory is gone.
func TestLoadFromNowhere(t *testing.T) {
	dir := house(t)
	file := filepath.Join(t.TempDir(), "config.yaml")
	write(t, file, "state_dir: data")
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	c, _, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(filepath.Dir(file), "data"); c.StateDir != want {
		t.Errorf("state_dir is %s, want %s", c.StateDir, want)
	}
}

// TestNowhereToKeep: who can't have a state_dir is told what to do.
func TestNowhereToKeep(t *testing.T) {
	dir := house(t)
	for _, open := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(open, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c, _ := loadText(t, "state_dir: data")
	want := func(advice string) {
		t.Helper()
		if err := c.Secrets(true); err == nil || !strings.Contains(err.Error(), advice) {
			t.Errorf("%v, want %q in it", err, advice)
		}
	}
	defer asNobody(t)()
	want("set state_dir to a directory")
	unix.Setfsuid(0)
	if err := os.Symlink("away", "data"); err != nil {
		t.Fatal(err)
	}
	want("a link to what is not there")
	if err := os.Mkdir("away", 0o755); err != nil {
		t.Fatal(err)
	}
	unix.Setfsuid(nobody)
	want("set state_dir to a directory")
}

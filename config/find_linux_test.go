package config

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// TestWithoutAWorkingDirectory is root who runs a command as the user of the
// service, from a home that is his alone: no config.yaml is looked for there, and
// one that is named in full is read.
func TestWithoutAWorkingDirectory(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: to become another user")
	}
	dir := house(t)
	write(t, "config.yaml", "domain: home.example")
	readable, err := os.MkdirTemp("/tmp", "icebox")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(readable) })
	full := filepath.Join(readable, "config.yaml")
	for _, err := range []error{
		os.Rename(filepath.Join(dir, "config.yaml"), full),
		os.Chmod(readable, 0o755), os.Chmod(full, 0o644), os.Chmod(dir, 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		const nobody = 65534
		if err := syscall.Setfsuid(nobody); err != nil {
			t.Error(err)
			return
		}
		if found := Find(); found != "" && found != "/etc/icebox/config.yaml" {
			t.Errorf("found %q where nothing can be seen", found)
		}
		if cfg, _, err := Load(full); err != nil || cfg.Domain != "home.example" {
			t.Errorf("%s: %v", full, err)
		}
	}()
	<-done
}

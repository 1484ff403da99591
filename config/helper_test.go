package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// house makes an empty directory the working directory, and the environment free
// of ICEBOX_ variables. Tests that use it can't be parallel.
func house(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, envPrefix) {
			t.Setenv(name, value) // puts it back afterwards
			os.Unsetenv(name)
		}
	}
	return dir
}

// write puts a file of mode 0600 in place.
func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// loadText loads a config.yaml of this text, which must be good.
func loadText(t testing.TB, text string) (*Config, []Warning) {
	t.Helper()
	write(t, "config.yaml", text)
	c, warnings, err := Load("config.yaml")
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return c, warnings
}

// needs skips a test by name for what this machine does not have. On CI nothing
// may be missing.
func needs(t testing.TB, have bool, what string) {
	t.Helper()
	if have {
		return
	}
	if os.Getenv("CI") == "true" && runtime.GOOS == "linux" {
		t.Fatalf("needs %s", what)
	}
	t.Skipf("needs %s", what)
}

// warningTexts are warnings as they are printed.
func warningTexts(warnings []Warning) string {
	var lines []string
	for _, w := range warnings {
		lines = append(lines, w.String())
	}
	return strings.Join(lines, "\n")
}

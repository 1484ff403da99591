package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/natlab"
)

// TestGoRunInAClone does what the README says: `go run ./cmd/icebox` in a fresh
// copy, with no file edited. It runs in a host of its own, where the ports of the
// default configuration are free.
func TestGoRunInAClone(t *testing.T) {
	lab := natlab.New(t)
	home := lab.Host("home", "203.0.113.10")
	dir := cloneSources(t)
	buildOnce(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := startCommand(t, dir, home.Command(ctx, "go", "run", "./cmd/icebox"))
	begin := time.Now()
	p.until(t, &p.stdout, "icebox is serving.")
	t.Logf("serving %v after go run of what was built before", time.Since(begin))

	client := browser()
	client.Transport.(*http.Transport).DialContext = home.Dial
	for _, url := range []string{"https://203.0.113.10:3002/", "https://127.0.0.1:3002/1cs1cs", "http://127.0.0.1:9640/metrics"} {
		answer, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || len(body) == 0 {
			t.Errorf("%s answers %d with %d bytes, %v", url, answer.StatusCode, len(body), err)
		}
	}
	if status := gitStatus(t, dir); status != "" {
		t.Errorf("running it leaves in the clone:\n%s", status)
	}
}

// cloneSources copies what is under version control here, or about to be, into
// a repository of its own.
func cloneSources(t *testing.T) string {
	t.Helper()
	root, dir := moduleRoot(t), t.TempDir()
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("needs a git checkout")
		}
		t.Skip("needs a git checkout")
	}
	list := exec.Command("git", "ls-files", "-co", "--exclude-standard", "-z")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Fatalf("listing the sources: %v", err)
	}
	for _, name := range strings.Split(strings.TrimRight(string(names), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // removed here, and not yet from the index
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "x"}} {
		git := exec.Command("git", args...)
		git.Dir = dir
		if out, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return dir
}

func buildOnce(t *testing.T, dir string) {
	t.Helper()
	build := exec.Command("go", "build", "-o", os.DevNull, "./cmd/icebox")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
}

func gitStatus(t *testing.T, dir string) string {
	t.Helper()
	git := exec.Command("git", "status", "--porcelain")
	git.Dir = dir
	out, err := git.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

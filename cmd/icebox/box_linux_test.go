package main

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icebox/config"
)

// openSockets counts the sockets of this process.
func openSockets(t *testing.T) (n int) {
	t.Helper()
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if to, err := os.Readlink(f); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// TestNewBoxLeavesNothingOpen: the last listener can't be opened, so those before
// it are closed again.
func TestNewBoxLeavesNothingOpen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := configDir(t, strings.Replace(loopbackConfig, `admin: {listen: "127.0.0.1:0"}`, `admin: {listen: "`+taken.Addr().String()+`"}`, 1))
	cfg, _, err := config.Load(filepath.Join(dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.Secrets(true); err != nil {
		t.Fatal(err)
	}
	before := openSockets(t)
	if _, err := newBox(cfg, slog.New(slog.DiscardHandler), new(slog.LevelVar)); err == nil {
		t.Fatal("the box opens a listener that is taken")
	}
	if after := openSockets(t); after != before {
		t.Errorf("%d sockets before, %d after", before, after)
	}
}

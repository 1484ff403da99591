package certs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fsnotify/fsnotify"
)

// TestFilesSwapped replaces the pair in each of the ways that programs have.
func TestFilesSwapped(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	// Each layout writes the pair so that its config.TLS paths lead to it.
	layouts := []struct {
		name string
		swap func(t *testing.T, dir string, n int, certPEM, keyPEM []byte)
	}{
		{"by rename", func(t *testing.T, dir string, n int, certPEM, keyPEM []byte) {
			putPair(t, dir, certPEM, keyPEM)
		}},
		{"in place", func(t *testing.T, dir string, n int, certPEM, keyPEM []byte) {
			must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), certPEM, 0o600))
			must(t, os.WriteFile(filepath.Join(dir, "key.pem"), keyPEM, 0o600))
		}},
		{"by links into an archive", func(t *testing.T, dir string, n int, certPEM, keyPEM []byte) {
			archive := filepath.Join(dir, "archive", string(rune('0'+n)))
			must(t, os.MkdirAll(archive, 0o700))
			putPair(t, archive, certPEM, keyPEM)
			for _, name := range []string{"cert.pem", "key.pem"} {
				relink(t, filepath.Join("archive", string(rune('0'+n)), name), filepath.Join(dir, name))
			}
		}},
		{"by a link of the directory", func(t *testing.T, dir string, n int, certPEM, keyPEM []byte) {
			data := filepath.Join(dir, "..", string(rune('0'+n)))
			must(t, os.MkdirAll(data, 0o700))
			putPair(t, data, certPEM, keyPEM)
			relink(t, data, filepath.Join(dir, "..data"))
			for _, name := range []string{"cert.pem", "key.pem"} {
				if n == 0 {
					relink(t, filepath.Join("..data", name), filepath.Join(dir, name))
				}
			}
		}},
		{"with its directory", func(t *testing.T, dir string, n int, certPEM, keyPEM []byte) {
			next := dir + ".next"
			must(t, os.Mkdir(next, 0o700))
			putPair(t, next, certPEM, keyPEM)
			must(t, os.RemoveAll(dir))
			must(t, os.Rename(next, dir))
		}},
		{"with its directory, by rename", func(t *testing.T, dir string, n int, certPEM, keyPEM []byte) {
			next := dir + ".next"
			must(t, os.Mkdir(next, 0o700))
			putPair(t, next, certPEM, keyPEM)
			must(t, os.Rename(dir, dir+string(rune('0'+n))))
			must(t, os.Rename(next, dir))
		}},
	}
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			dir, j := filepath.Join(t.TempDir(), "tls"), new(journal)
			must(t, os.Mkdir(dir, 0o700))
			certPEM, keyPEM := a.issue(t, "home.example")
			l.swap(t, dir, 0, certPEM, keyPEM)
			s := mustSource(t, filesConfig(dir, "home.example"), j, a)
			running(t, s)
			for n := 1; n <= 3; n++ {
				certPEM, keyPEM = a.issue(t, "home.example")
				l.swap(t, dir, n, certPEM, keyPEM)
				wantSwap(t, s, certPEM)
			}
			j.wantCount(t, 4, "certificate in force")
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// relink makes name a link to target, in place of what it was.
func relink(t *testing.T, target, name string) {
	t.Helper()
	must(t, os.Symlink(target, name+".new"))
	must(t, os.Rename(name+".new", name))
}

// TestFollow expects a watch on each directory of the way and on no other, also
// after the files are others.
func TestFollow(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	for _, name := range []string{"a", "b", "c"} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o700))
	}
	put(t, filepath.Join(dir, "b", "cert.pem"), nil)
	must(t, os.Symlink(filepath.Join("..", "b", "cert.pem"), filepath.Join(dir, "a", "cert.pem")))
	must(t, os.Symlink("ring", filepath.Join(dir, "c", "ring")))
	w, err := fsnotify.NewWatcher()
	must(t, err)
	defer w.Close()
	j := new(journal)
	f := newFollower(w, j.logger())
	for _, tt := range []struct{ file, dirs string }{
		{"a/cert.pem", "a b"},
		{"b/cert.pem", "b"},
		{"c/none.pem", "c"},
		{"none/cert.pem", "."},
		{"c/ring", "c"},
	} {
		f.follow([]string{filepath.Join(dir, filepath.FromSlash(tt.file))})
		var dirs []string
		for _, watched := range w.WatchList() {
			name, err := filepath.Rel(dir, watched)
			must(t, err)
			dirs = append(dirs, name)
		}
		slices.Sort(dirs)
		if got := strings.Join(dirs, " "); got != tt.dirs {
			t.Errorf("%s: watched %q, want %q", tt.file, got, tt.dirs)
		}
	}
	f.follow(nil)
	if left := w.WatchList(); len(left) > 0 {
		t.Errorf("still watched: %q", left)
	}
	j.wantCount(t, 0, "level=")
}

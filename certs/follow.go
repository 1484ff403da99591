package certs

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// follower watches files by watching directories: a file is replaced by a
// rename, and a link to it by a rename of the link, in whichever directory that
// is. It belongs to one goroutine.
type follower struct {
	watcher *fsnotify.Watcher // nil: nothing is reported
	log     *slog.Logger
	places  map[string]bool // what a change of matters, directories among them
	failed  map[string]bool // directories that could not be watched
}

func newFollower(w *fsnotify.Watcher, log *slog.Logger) *follower {
	return &follower{watcher: w, log: log, failed: make(map[string]bool)}
}

// concerns reports whether a change of name can be one of the files.
func (f *follower) concerns(name string) bool { return f.places[filepath.Clean(name)] }

// follow watches these files, as their paths lead to them now, and no others.
func (f *follower) follow(files []string) {
	f.places = make(map[string]bool)
	dirs := make(map[string]bool)
	for _, file := range files {
		for _, place := range trail(file) {
			f.places[place] = true
			dirs[filepath.Dir(place)] = true
		}
	}
	for dir := range dirs {
		f.places[dir] = true
	}
	if f.watcher != nil {
		f.watch(dirs)
	}
}

func (f *follower) watch(dirs map[string]bool) {
	for _, dir := range f.watcher.WatchList() {
		if !dirs[dir] {
			f.watcher.Remove(dir) // fails only where it is gone already
		}
	}
	for dir := range dirs {
		err := f.watcher.Add(dir)
		if err != nil && !f.failed[dir] {
			f.log.Warn("changes of certificate files are seen within a minute only", "directory", dir, "err", err)
		}
		f.failed[dir] = err != nil
	}
}

// maxLinks is where a chain of links is taken for a ring, as Linux does.
const maxLinks = 40

// trail returns each place where what path leads to can be changed: every
// symbolic link on the way and the file at the end, or the first part that is
// missing. path is absolute.
func trail(path string) []string {
	var places []string
	root := filepath.VolumeName(path) + string(filepath.Separator)
	at, todo := root, parts(path)
	for links := 0; len(todo) > 0 && links < maxLinks; {
		next := filepath.Join(at, todo[0])
		todo = todo[1:]
		info, err := os.Lstat(next)
		switch {
		case err != nil:
			return append(places, next)
		case info.Mode()&fs.ModeSymlink != 0:
			links++
			places = append(places, next)
			target, err := os.Readlink(next)
			if err != nil {
				return places
			}
			if filepath.IsAbs(target) {
				at = root
			}
			todo = append(parts(target), todo...)
		case len(todo) == 0:
			places = append(places, next)
		default:
			at = next
		}
	}
	return places
}

// parts splits a path into its names, without the volume.
func parts(path string) []string {
	path = filepath.ToSlash(path[len(filepath.VolumeName(path)):])
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed pages assets
var embedded embed.FS

// contentTypes by extension. The system's own table is not asked: it differs.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// assets are the embedded files. Pages name theirs as assets/VERSION/FILE, where
// VERSION is a hash of all of them: those never change and browsers keep them,
// while the page itself is asked for each time and answered with 304.
type assets struct {
	version string
	files   map[string]file // assets/, by name
	pages   map[string]file // pages/, by name
}

type file struct {
	body        []byte
	contentType string
	etag        string
}

func loadAssets() (*assets, error) {
	files, err := readDir("assets")
	if err != nil {
		return nil, err
	}
	found, err := readDir("pages")
	if err != nil {
		return nil, err
	}
	a := &assets{version: version(files), files: files, pages: make(map[string]file)}
	for name, page := range found {
		a.pages[name] = newFile(name, a.versioned(page.body, ""))
	}
	return a, nil
}

// readDir reads the files of one embedded folder.
func readDir(dir string) (map[string]file, error) {
	entries, err := embedded.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("embedded files: %w", err)
	}
	files := make(map[string]file)
	for _, e := range entries {
		body, err := fs.ReadFile(embedded, path.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("embedded files: %w", err)
		}
		files[e.Name()] = newFile(e.Name(), body)
	}
	return files, nil
}

func newFile(name string, body []byte) file {
	sum := sha256.Sum256(body)
	return file{body, contentTypes[path.Ext(name)], `"` + hex.EncodeToString(sum[:8]) + `"`}
}

// version is a hash of all files: they import each other, so one that changes
// changes them all. ReadDir's order is by name; a map has none, so sums are added.
func version(files map[string]file) string {
	var all [sha256.Size]byte
	for name, f := range files {
		sum := sha256.Sum256([]byte(name + f.etag))
		for i := range all {
			all[i] ^= sum[i]
		}
	}
	return hex.EncodeToString(all[:6])
}

// versioned is a page with the version in the addresses of its assets, and root,
// the way up to the folder of the pages, before them.
func (a *assets) versioned(page []byte, root string) []byte {
	return bytes.ReplaceAll(page, []byte(`"assets/`), []byte(`"`+root+`assets/`+a.version+`/`))
}

// servePage answers with a file of pages/.
func (a *assets) servePage(w http.ResponseWriter, r *http.Request, name string) error {
	if err := readOnly(w, r); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	a.pages[name].serve(w, r)
	return nil
}

// serveFile answers with a file of assets/, asked for with the version or
// without.
func (a *assets) serveFile(w http.ResponseWriter, r *http.Request, name string) error {
	if err := readOnly(w, r); err != nil {
		return err
	}
	caching := "no-cache"
	if rest, ok := strings.CutPrefix(name, a.version+"/"); ok {
		name, caching = rest, "public, max-age=31536000, immutable"
	}
	f, ok := a.files[name]
	if !ok {
		return errNotFound
	}
	w.Header().Set("Cache-Control", caching)
	f.serve(w, r)
	return nil
}

// serveNotFound is the 404 for people. It can stand at any depth.
func (a *assets) serveNotFound(w http.ResponseWriter, r *http.Request) {
	root := strings.Repeat("../", strings.Count(r.URL.EscapedPath(), "/")-1)
	body, err := embedded.ReadFile("pages/404.html")
	if err != nil {
		body = []byte(errNotFound.message)
	}
	body = bytes.ReplaceAll(a.versioned(body, root), []byte(`href="./"`), []byte(`href="./`+root+`"`))
	w.Header().Set("Content-Type", contentTypes[".html"])
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNotFound)
	w.Write(body)
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("ETag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}

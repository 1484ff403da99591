package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
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

// Pages whose path is not their name.
const (
	roomPage = "room" // of every room
	openHome = "open" // the landing page where nobody needs an invite
)

// pages are made of templates in pages/ when the process starts. The name is the
// path, or one of those above.
var pages = []struct {
	name, template string
	place
}{
	{"/", "home.html", place{}},
	{openHome, "home.html", place{Open: true}},
	{"/1c1s", "call.html", place{Kind: "1c1s", Roles: true}},
	{"/nc1s", "call.html", place{Kind: "nc1s", Roles: true}},
	{"/1cs1cs", "call.html", place{Kind: "1cs1cs"}},
	{roomPage, "room.html", place{Kind: "room", up: "../"}},
}

// assets are the embedded files. Pages name theirs as assets/VERSION/FILE, where
// VERSION is a hash of all of them: those never change and browsers keep them,
// while the page itself is asked for each time and answered with 304.
type assets struct {
	version  string
	files    map[string]file // assets/, by name
	pages    map[string]file // by name
	notFound *template.Template
}

type file struct {
	body        []byte
	contentType string
	etag        string
}

// place is where a page stands, how it names its files and the landing page, and
// what its template has to know.
type place struct {
	up           string // to the landing page
	Assets, Home string
	Kind         string // of the call: its name in the seed, or room
	Roles        bool   // one side sends and the other watches
	Open         bool   // rooms need no invite
}

func loadAssets() (*assets, error) {
	templates, err := template.ParseFS(embedded, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("embedded pages: %w", err)
	}
	a := &assets{
		files:    make(map[string]file),
		pages:    make(map[string]file),
		notFound: templates.Lookup("404.html"),
	}
	if err := a.loadFiles(); err != nil {
		return nil, err
	}
	for _, p := range pages {
		var page bytes.Buffer
		if err := templates.ExecuteTemplate(&page, p.template, p.at(a.version)); err != nil {
			return nil, fmt.Errorf("embedded pages: %w", err)
		}
		a.pages[p.name] = newFile(".html", page.Bytes())
	}
	return a, nil
}

// at is p with the names of what it refers to.
func (p place) at(version string) place {
	p.Assets = p.up + "assets/" + version
	p.Home = "./" + p.up
	return p
}

// loadFiles reads assets/ and makes its version, a hash of all of it: the files
// import each other, so one that changes changes them all.
func (a *assets) loadFiles() error {
	entries, err := embedded.ReadDir("assets") // sorted by name
	if err != nil {
		return fmt.Errorf("embedded assets: %w", err)
	}
	all := sha256.New()
	for _, e := range entries {
		body, err := embedded.ReadFile(path.Join("assets", e.Name()))
		if err != nil {
			return fmt.Errorf("embedded assets: %w", err)
		}
		f := newFile(e.Name(), body)
		fmt.Fprintln(all, e.Name(), f.etag)
		a.files[e.Name()] = f
	}
	a.version = hex.EncodeToString(all.Sum(nil)[:6])
	return nil
}

func newFile(name string, body []byte) file {
	sum := sha256.Sum256(body)
	return file{body, contentTypes[path.Ext(name)], `"` + hex.EncodeToString(sum[:8]) + `"`}
}

// serveFile answers with a file of assets/, asked for with the version or
// without.
func (a *assets) serveFile(w http.ResponseWriter, r *http.Request, name string) error {
	caching := "no-cache"
	if rest, ok := strings.CutPrefix(name, a.version+"/"); ok {
		name, caching = rest, "public, max-age=31536000, immutable"
	}
	f, ok := a.files[name]
	if !ok {
		return errNotFound
	}
	return f.serve(w, r, caching)
}

// serveClient answers with the client module. Pages of others may import it: it
// has no secret, and a room asks for its invite.
func (a *assets) serveClient(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	return a.files["client.js"].serve(w, r, "no-cache")
}

// serveNotFound is the 404 for people. It can stand at any depth.
func (a *assets) serveNotFound(w http.ResponseWriter, r *http.Request) {
	up := strings.Repeat("../", max(0, strings.Count(r.URL.EscapedPath(), "/")-1)) // a path can be * or empty
	w.Header().Set("Content-Type", contentTypes[".html"])
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNotFound)
	a.notFound.Execute(w, place{up: up}.at(a.version))
}

// serve answers a GET or HEAD with f, or 304 where the client has it.
func (f file) serve(w http.ResponseWriter, r *http.Request, caching string) error {
	if err := readOnly(w, r); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", caching)
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("ETag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
	return nil
}

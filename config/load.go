package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Find is the file that is read where none is named: ./config.yaml, else
// /etc/icebox/config.yaml, else "" for the built-in defaults. A file that is
// there and can't be read counts: Load then says why. A working directory that
// may not be entered has none: it is root's home where root runs a command as
// the user of the service.
func Find() string {
	for _, path := range []string{"config.yaml", "/etc/icebox/config.yaml"} {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrPermission) && !filepath.IsAbs(path) {
			continue // not for a link that leads to where this user may not look: it is there
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path
		}
	}
	return ""
}

// Default is the configuration of an empty file and an empty environment, with
// its paths relative to the working directory.
func Default() *Config {
	r := newReport("")
	base, _ := os.Getwd() // without one, paths stay relative
	c, err := bind(schema(), nil, nil)
	if err != nil {
		panic(err) // the defaults are constants: a test binds them
	}
	r.settle(c, base)
	return c
}

// Load reads and judges the file at path, or with path "" the built-in defaults,
// and lays the environment over it. The error is one *Errors with everything
// that is wrong, and the Config is then nil. The warnings come in either case.
//
// Generated secrets are not in yet: that is for Secrets.
func Load(path string) (*Config, []Warning, error) {
	l := load(path)
	if l.empty {
		l.report.warn("", "%s", "nothing is there, so the built-in defaults are in force")
	}
	return l.config, l.report.warnings(), l.report.err()
}

// largest is how many bytes config.yaml may have.
const largest = 256 << 10

// loaded is what load found.
type loaded struct {
	report *report
	config *Config // nil: the report has errors
	empty  bool    // the file holds nothing, or only comments
	files  *files
}

func load(path string) *loaded {
	l := &loaded{report: newReport(path), files: newFiles()}
	if err := l.load(path); err != nil {
		l.report.failLine(0, "", "%v", err)
	}
	if len(l.report.errs) > 0 {
		l.config = nil
	}
	return l
}

// load leaves its faults in the report, but for those that end it.
func (l *loaded) load(path string) error {
	base, err := os.Getwd()
	if err != nil && !filepath.IsAbs(path) { // a file that is named in full says where its paths begin
		return fmt.Errorf("finding the working directory: %w", err)
	}
	r, all, full := l.report, schema(), ""
	var tree map[string]any
	if path != "" {
		full = absolute(base, path)
		base = filepath.Dir(full)
		tree = l.tree(full, all)
	}
	c, err := bind(all, tree, r.environment(all))
	if err != nil {
		return err
	}
	c.Path, c.path, l.config = full, path, c
	r.settle(c, base)
	r.secretFiles(c, l.files)
	r.judge(c)
	if len(r.errs) == 0 {
		r.advise(c)
	}
	if r.sound("tls") {
		r.tls = &c.TLS
	}
	c.paths, c.digest = l.files.paths, l.files.digest()
	return nil
}

// tree reads the file into texts by key.
func (l *loaded) tree(full string, all spec) map[string]any {
	data, err := l.files.read(full, largest)
	if err != nil {
		l.report.failLine(0, "", "can't be read: %v", err)
		return nil
	}
	root := l.report.parse(data)
	if root == nil {
		l.empty = len(l.report.errs) == 0
		return nil
	}
	s := scanner{report: l.report, all: all}
	return s.section(root, all, "")
}

// settle fills in what follows from other keys and makes paths absolute.
func (r *report) settle(c *Config, base string) {
	c.origins = r.origins
	for _, path := range []*string{&c.StateDir, &c.TURN.SecretFile, &c.TLS.Cert, &c.TLS.Key} {
		*path = absolute(base, *path)
	}
	if c.TURN.Realm == "" {
		c.TURN.Realm = "icebox"
		if c.Domain != "" && realmName().check(c.Domain) == nil {
			c.TURN.Realm = c.Domain
		}
	}
	if c.TLS.Source == "auto" {
		c.TLS.Source = "self-signed"
		if c.TLS.Cert != "" || c.TLS.Key != "" {
			c.TLS.Source = "files"
		}
	}
	for i, origin := range c.Signaling.Origins {
		c.Signaling.Origins[i] = sentOrigin(origin)
	}
	for i := range c.TURN.Users {
		user := &c.TURN.Users[i]
		user.PasswordFile = absolute(base, user.PasswordFile)
	}
}

func rowKey(table string, i int, name string) string {
	return fmt.Sprintf("%s[%d].%s", table, i, name)
}

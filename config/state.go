package config

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrNoState means that a secret was never generated: the box has not been
// started with this configuration yet, or with another state_dir.
var ErrNoState = errors.New("there is no generated secret yet: start icebox once, or the service has another state_dir")

// secretName is the file of the generated turn.secret.
const secretName = "turn-secret"

// Secrets fills in what the file leaves to the box: the passwords of users
// without one, and TURN.Secret. They stand in StateDir, one file each, and are
// never made again while that file is there. With create, what is missing is
// made (the directory 0700, files 0600); without, it is an error that wraps
// ErrNoState.
func (c *Config) Secrets(create bool) error {
	if create {
		return c.fill(c.makeSecret)
	}
	return c.fill(func(s stateSecret) (string, error) {
		return "", fmt.Errorf("%s: %w", c.statePath(s), ErrNoState)
	})
}

// stateSecret is a secret that the box makes for itself.
type stateSecret struct {
	name     string // of its file
	kind     kind
	generate func() string
}

func (c *Config) statePath(s stateSecret) string { return filepath.Join(c.StateDir, s.name) }

// fill fills the generated secrets in. Those without a file come from missing.
func (c *Config) fill(missing func(stateSecret) (string, error)) error {
	if c.generated == nil {
		c.generated = map[string]string{}
	}
	for i := range c.TURN.Users {
		user := &c.TURN.Users[i]
		if user.Password != "" || user.Key != "" {
			continue
		}
		s := stateSecret{passwordName(user.Name), hidden(1), newPassword}
		if err := c.fillOne(s, &user.Password, missing); err != nil {
			return fmt.Errorf("password of user %s: %w", quote(user.Name), err)
		}
	}
	if c.TURN.Secret != "" {
		return nil
	}
	s := stateSecret{secretName, hidden(16), newSecret}
	if err := c.fillOne(s, &c.TURN.Secret, missing); err != nil {
		return fmt.Errorf("turn.secret: %w", err)
	}
	return nil
}

func (c *Config) fillOne(s stateSecret, into *string, missing func(stateSecret) (string, error)) error {
	text, err := readState(c.statePath(s), s.kind)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = missing(s)
	}
	*into, c.generated[s.name] = text, text
	return err
}

// makeSecret makes a secret and its file.
func (c *Config) makeSecret(s stateSecret) (string, error) {
	path := c.statePath(s)
	if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
		return "", fmt.Errorf("making state_dir: %w%s", err, stateAdvice(err))
	}
	if err := writeNew(path, s.generate()+"\n"); err != nil {
		return "", fmt.Errorf("%s: keeping a generated secret: %w%s", path, plainError(err), stateAdvice(err)) // not the name of a moment
	}
	return readState(path, s.kind) // another process may have been first
}

// stateAdvice is what can be done where nothing can be kept in state_dir.
func stateAdvice(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return ": set state_dir to a directory that the user of icebox can write to, such as /var/lib/icebox"
	case errors.Is(err, fs.ErrExist):
		return ": it is a link to what is not there, such as a disk that is not mounted"
	}
	return ""
}

// readState reads a generated secret.
func readState(path string, k kind) (string, error) {
	data, err := readFile(path, largestSecret)
	if err != nil {
		return "", unreadable(path, err)
	}
	text, err := oneLine(data, nil)
	if wrong := k.judge(text); err == nil && wrong != "" {
		err = errors.New(wrong)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w; delete it to have a new one made", path, err)
	}
	return text, nil
}

// unreadable says what can be done about a file of state_dir that can't be read.
// That it is not there stays in the chain.
func unreadable(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w: it belongs to another user: run this as the user that icebox runs as, such as sudo -u icebox", path, err)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%s: %w: state_dir is not a directory", path, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// writeNew puts a file in place whole, on the disk, or not at all. One that is
// there already stays as it is.
func writeNew(path, text string) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(text)
	if err == nil {
		err = temp.Sync()
	}
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if err := putNew(temp.Name(), path); err != nil {
		return err
	}
	syncDir(filepath.Dir(path))
	return nil
}

// putNew gives a file its name unless there is one of that name. A hard link
// does that in one step; a file system without them takes a rename.
func putNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	if _, err := os.Lstat(to); err == nil {
		return nil
	}
	return os.Rename(from, to)
}

// syncDir makes a new name last through a loss of power, where the system can: the
// file itself is on the disk, and Windows can't sync a directory.
func syncDir(dir string) {
	if f, err := os.Open(dir); err == nil {
		f.Sync()
		f.Close()
	}
}

// PasswordPath is the file in which Secrets keeps the generated password of a
// user of that name, whether it is there yet or not.
func (c *Config) PasswordPath(user string) string {
	return filepath.Join(c.StateDir, passwordName(user))
}

// passwordName is the file of a user's generated password. Everything but lower
// case letters, digits, - and _ is escaped, so that no name leaves the directory
// and no two differ only in case; long ones are hashed.
func passwordName(user string) string {
	const prefix, longest = "password-", 200
	var b strings.Builder
	for i := range len(user) {
		c := user[i]
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02x", c)
	}
	if b.Len() > longest {
		sum := sha256.Sum256([]byte(user))
		return prefix + "%-" + hex.EncodeToString(sum[:]) // no escape begins so
	}
	return prefix + b.String()
}

// stateNames are the files of the state directory that this configuration uses.
func (c *Config) stateNames() []string {
	var names []string
	for _, user := range c.TURN.Users {
		if user.Password == "" && user.Key == "" {
			names = append(names, passwordName(user.Name))
		}
	}
	if c.TURN.Secret == "" {
		names = append(names, secretName)
	}
	return names
}

// newPassword is a password of 98 random bits that is easy to read out and to
// type: 20 letters and digits without those that look alike.
func newPassword() string {
	const letters, length = "abcdefghjkmnpqrstuvwxyz23456789", 20
	text := make([]byte, 0, length)
	for b := make([]byte, 1); len(text) < length; {
		rand.Read(b)
		if i := int(b[0] & 31); i < len(letters) { // 31 of 32, each as likely
			text = append(text, letters[i])
		}
	}
	return string(text)
}

// newSecret is 256 random bits.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return hex.EncodeToString(b)
}

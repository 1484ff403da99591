package config

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// files are what one configuration is read from, and a fingerprint of all that
// was found in them.
type files struct {
	paths []string // absolute, in the order that they were read in
	sum   hash.Hash
}

func newFiles() *files { return &files{sum: sha256.New()} }

// read reads a file of at most limit bytes. What comes of it, an error too,
// goes into the fingerprint.
func (f *files) read(path string, limit int64) ([]byte, error) {
	data, err := readFile(path, limit)
	f.paths = append(f.paths, path)
	fmt.Fprintf(f.sum, "%q %v %d\n", path, err, len(data))
	f.sum.Write(data)
	return data, err
}

// digest is the fingerprint of what was read so far.
func (f *files) digest() digest { return digest(f.sum.Sum(nil)) }

type digest [sha256.Size]byte

// readFile reads a file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, plainError(err)
	}
	switch {
	case info.IsDir():
		return nil, errors.New("it is a directory")
	case !info.Mode().IsRegular() && !strings.HasPrefix(path, "/dev/"): // /dev/stdin can be a pipe
		return nil, errors.New("it is not a file") // a named pipe waits for its writer when it is opened
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, plainError(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, plainError(err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("it has more than %d bytes", limit)
	}
	return data, nil
}

// plainError is the reason without the path, which the message has already.
func plainError(err error) error {
	var path *os.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// secretFiles reads the files that passwords and the secret stand in.
func (r *report) secretFiles(c *Config, from *files) {
	read := func(key, path string, k kind, into *string) {
		if path == "" {
			return
		}
		text, err := oneLine(from.read(path, largestSecret))
		if err != nil {
			r.fail(key, "%s can't be used: %v, expected a file with one line", quote(path), err)
			return
		}
		if wrong := k.judge(text); wrong != "" {
			r.fail(key, "%s can't be used: %s", quote(path), wrong)
			return
		}
		if *into == "" { // both given is a fault of its own
			*into = text
		}
	}
	read("turn.secret_file", c.TURN.SecretFile, hidden(16), &c.TURN.Secret)
	for i := range c.TURN.Users {
		user := &c.TURN.Users[i]
		read(rowKey("turn.users", i, "password_file"), user.PasswordFile, hidden(0), &user.Password)
	}
}

// largestSecret is how many bytes a file with a secret may have.
const largestSecret = 4 << 10

// oneLine is the one line of a file, without its line end and the byte order
// mark that some editors begin a file with.
func oneLine(data []byte, err error) (string, error) {
	if err != nil {
		return "", err
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if !utf8.Valid(data) || bytes.ContainsRune(data, 0) {
		return "", errors.New("it is not UTF-8 text")
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if text == "" {
		return "", errors.New("it is empty")
	}
	if strings.Contains(text, "\n") {
		return "", errors.New("it has more than one line")
	}
	return text, nil
}

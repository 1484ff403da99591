package config

import (
	"errors"
	"strings"
)

// secretFiles reads the files that passwords and the secret stand in. It returns
// their paths, also of those that can't be read.
func (r *report) secretFiles(c *Config) []string {
	var files []string
	read := func(key, path string, k kind, into *string) {
		if path == "" {
			return
		}
		files = append(files, path)
		text, err := readSecret(path)
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
	return files
}

// readSecret is the one line of a file, without its line end.
func readSecret(path string) (string, error) {
	const largest = 4 << 10
	data, err := readFile(path, largest)
	if err != nil {
		return "", err
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

package config

import (
	"errors"
	"strings"
	"testing"
)

// name, listener and so on are what was expected, in the words of the messages.
const (
	wantName     = "expected a name such as home.example"
	wantUser     = "expected a name of 1 to 508 bytes without a colon and not of digits alone"
	wantListener = "expected host:port with an IP address of this box, or :port for all of them"
	wantRange    = "expected a range such as 192.168.1.0/24 or 2001:db8::/32"
	wantPorts    = "expected MIN-MAX, ports from 1024 to 65535"
	wantOrigin   = `expected "*" or an origin such as https://home.example`
	wantURL      = "expected a URL such as https://home.example:8443/call, or nothing"
	wantSpan     = ", such as 30s, 5m or 12h"
)

// TestBadFiles holds every message to its wording. DIR is the directory of the
// file; an f before the number of a line is "config.yaml:".
func TestBadFiles(t *testing.T) {
	dir := house(t)
	write(t, "empty", "\n")
	write(t, "two", "a\nb\n")
	for _, test := range badFiles() {
		t.Run(test.name, func(t *testing.T) {
			write(t, "config.yaml", test.file)
			c, _, err := Load("config.yaml")
			if err == nil || c != nil {
				t.Fatalf("Load gave %v and error %v", c, err)
			}
			got := strings.ReplaceAll(strings.ReplaceAll(err.Error(), "config.yaml:", "f"), dir, "DIR")
			if got != test.want {
				t.Errorf("file\n%s\ngot\n%s\nwant\n%s", test.file, got, test.want)
			}
		})
	}
}

type badFile struct{ name, file, want string }

func badFiles() []badFile {
	var all []badFile
	all = append(all, badKeys()...)
	all = append(all, badYAMLFiles()...)
	all = append(all, badScalars()...)
	all = append(all, badNames()...)
	all = append(all, badAddresses()...)
	all = append(all, badPairs()...)
	return all
}

func TestUnreadableFiles(t *testing.T) {
	dir := house(t)
	write(t, "big", strings.Repeat("#", largest+1))
	for path, want := range map[string]string{
		"nosuch": "nosuch: can't be read: no such file or directory",
		"big":    "big: can't be read: it has more than 262144 bytes",
		dir:      dir + ": can't be read: it is a directory",
	} {
		if _, _, err := Load(path); err == nil || err.Error() != want {
			t.Errorf("Load(%s): %v, want %s", path, err, want)
		}
	}
}

// TestErrorsAreWhole reads one error out of all.
func TestErrorsAreWhole(t *testing.T) {
	house(t)
	write(t, "config.yaml", "domian: x\n")
	_, _, err := Load("config.yaml")
	var all *Errors
	if !errors.As(err, &all) || len(all.List) != 1 {
		t.Fatalf("got %#v", err)
	}
	var one *Error
	if !errors.As(err, &one) || one.File != "config.yaml" || one.Line != 1 || one.Key != "domian" {
		t.Errorf("got %#v", one)
	}
}

// TestErrorsHideSecrets looks for secrets in what is said about them.
func TestErrorsHideSecrets(t *testing.T) {
	house(t)
	for _, file := range []string{
		"turn: {secret: hunter2}",
		"turn: {secret: *hunter2}",
		"turn: {secret: !hunter2 a}",
		"turn: {secret: !hunter2}",
		"turn: {secret: \"hunter2\\0\"}",
		"turn: {users: [hunter2]}",
		"turn: {users: [{name: a, key: hunter2}]}",
		"turn: {users: [{name: a, password: hunter2, password_file: b}]}",
		"turn: {users: [{name: a, password: hunter2" + strings.Repeat("2", 300) + "}]}",
		"turn: {users: [{name: a, password: [hunter2]}]}",
		"turn: {users: [{name: a, password: hunter2}]}\nfoo: a",
		"turn: {users: [{name: a, password:hunter2}]}",
		"turn: {users: [{name: a, password: abc,hunter2}]}",
		"turn: {users: [{name: a, password: abc,hunter2,hunter2}]}",
		"turn: {users: [{name: a, password: abc,hunter2: x}]}",
		"turn: {users: [{name: a, password: abc,HUNTER2: x, hunter2: y}]}",
		"turn: {users: [{name: a\n, password:hunter2}]}",
		"turn:\n  users:\n    - name: a\n      password:hunter2",
		"turn:\n  users:\n    - password:hunter2\n      name: a",
		"turn: {secret:hunter2hunter2hunter2}",
		"turn: {secret: &hunter2hunter2hunter2}",
		"turn:\n  secret: #hunter2hunter2hunter2",
		"turn: {secret: 0123456789abcdef,hunter2}",
	} {
		write(t, "config.yaml", file)
		_, warnings, err := Load("config.yaml")
		if err == nil {
			t.Errorf("%s is accepted", file)
			continue
		}
		if text := err.Error() + warningTexts(warnings); strings.Contains(text, "hunter2") {
			t.Errorf("%s: the secret is in %s", file, text)
		}
	}
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"icebox/config"
)

// generatedUsers names the users whose password is made by the box. It has to be
// asked before Secrets fills the passwords in.
func generatedUsers(cfg *config.Config) map[string]passwordState {
	users := map[string]passwordState{}
	for _, u := range cfg.TURN.Users {
		if u.Password == "" && u.Key == "" {
			path := cfg.PasswordPath(u.Name)
			_, err := os.Stat(path)
			users[u.Name] = passwordState{path: path, isNew: os.IsNotExist(err)}
		}
	}
	return users
}

// passwordState is where a generated password is, and whether it was still to be
// made when this was looked up.
type passwordState struct {
	path  string
	isNew bool
}

// describeUsers says one line a user. A password appears in it only with show,
// which is for the eyes of a person at a terminal, and only where this start has
// made it: from then on the file is the place to look, and what is kept of a
// service's output never holds it.
func describeUsers(cfg *config.Config, generated map[string]passwordState, show bool) []string {
	var lines []string
	for _, u := range cfg.TURN.Users {
		lines = append(lines, fmt.Sprintf("%-12s %s", plain(u.Name), passwordPlace(cfg, u, generated, show)))
	}
	return lines
}

func passwordPlace(cfg *config.Config, u config.User, generated map[string]passwordState, show bool) string {
	state, made := generated[u.Name]
	switch {
	case made && state.isNew && show:
		return fmt.Sprintf("password %s (made now, kept in %s)", u.Password, state.path)
	case made:
		return "password in " + state.path
	case u.PasswordFile != "":
		return "password in " + u.PasswordFile
	case u.Key != "":
		return "password known by its key only"
	}
	return "password in " + filepath.Base(cfg.Path)
}

// plain is a name as it is, in quotes where it could disturb a terminal.
func plain(name string) string {
	if quoted := strconv.Quote(name); strings.Trim(quoted, `"`) != name || name == "" {
		return quoted
	}
	return name
}

func plainList(names []string) string {
	var all []string
	for _, n := range names {
		all = append(all, plain(n))
	}
	return strings.Join(all, ", ")
}

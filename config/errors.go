package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one thing that is wrong with a configuration.
type Error struct {
	File    string // as it was given to Load; empty where Env is set
	Line    int    // from 1; 0 where the fault has no line
	Env     string // the variable that holds the value, where it is not the file
	Key     string // turn.listen[0].network; empty where no key is concerned
	Message string // what is there, and what was expected
}

// Error says all of it in one line: "config.yaml:12: turn.realm: ...".
func (e *Error) Error() string {
	return place(e.File, e.Line, e.Env, e.Key) + e.Message
}

// Errors is all that is wrong with a configuration, in the order of its lines;
// what the environment holds comes last.
type Errors struct {
	List []*Error
	// TLS is that section as after Load, so that its files can be judged too. Nil:
	// something is wrong with it.
	TLS *TLS
}

// Error prints one error a line.
func (e *Errors) Error() string { return e.join("\n") }

// Unwrap gives the single errors to errors.Is and errors.As.
func (e *Errors) Unwrap() []error {
	list := make([]error, len(e.List))
	for i, one := range e.List {
		list[i] = one
	}
	return list
}

func (e *Errors) join(separator string) string {
	lines := make([]string, len(e.List))
	for i, one := range e.List {
		lines[i] = one.Error()
	}
	return strings.Join(lines, separator)
}

// Warning is something that works and should be looked at.
type Warning struct {
	File    string // as it was given to Load; empty where it is not the file
	Line    int    // from 1; 0: none
	Key     string // a key, or the name of an environment variable
	Message string
}

// String says all of it in one line, in the form of an Error.
func (w Warning) String() string { return place(w.File, w.Line, "", w.Key) + w.Message }

// place is what an error or warning begins with.
func place(file string, line int, env, key string) string {
	var b strings.Builder
	switch {
	case env != "":
		b.WriteString(env + ": ")
	case line > 0:
		fmt.Fprintf(&b, "%s:%d: ", file, line)
	case file != "":
		b.WriteString(file + ": ")
	}
	if key != "" {
		b.WriteString(key + ": ")
	}
	return b.String()
}

// origin is where a value came from. Zero: the built-in default.
type origin struct {
	line int
	env  string
}

// report gathers what is found wrong, and knows where each key stands.
type report struct {
	file    string            // as given to Load
	origins map[string]origin // by key, rows and elements with their index
	bad     map[string]bool   // keys with a fault: what depends on them is not judged
	filled  map[string]bool   // keys that hold something, whether it is sound or not
	errs    []*Error
	warns   []Warning
	tls     *TLS // for Errors
}

func newReport(file string) *report {
	return &report{file: file, origins: map[string]origin{}, bad: map[string]bool{}, filled: map[string]bool{}}
}

// fail records a fault of a key, and that its value is not to be relied on.
func (r *report) fail(key, format string, args ...any) {
	r.bad[key] = true
	at := r.at(key)
	r.add(&Error{Line: at.line, Env: at.env, Key: key, Message: fmt.Sprintf(format, args...)})
}

// failLine records a fault at a line that is not that of the key.
func (r *report) failLine(line int, key, format string, args ...any) {
	r.bad[key] = true
	r.add(&Error{Line: line, Key: key, Message: fmt.Sprintf(format, args...)})
}

func (r *report) add(e *Error) {
	if e.Env == "" {
		e.File = r.file
	}
	r.errs = append(r.errs, e)
}

// warn records a warning about a key.
func (r *report) warn(key, format string, args ...any) {
	w := Warning{Key: key, Message: fmt.Sprintf(format, args...)}
	if at := r.at(key); at.env != "" {
		w.Key = at.env
	} else {
		w.File, w.Line = r.file, at.line
	}
	r.warns = append(r.warns, w)
}

// at is where a key stands, or else the nearest of what it belongs to.
func (r *report) at(key string) origin {
	for key != "" {
		if at, ok := r.origins[key]; ok {
			return at
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return origin{}
}

// set is where a value was set, and zero where it is the default: a row of a list
// is set with its list, a key is not set with its section.
func (r *report) set(key string) origin {
	if at, ok := r.origins[key]; ok {
		return at
	}
	list, _, _ := strings.Cut(key, "[")
	return r.origins[list]
}

// sound says whether nothing was found wrong with the keys, and all below them.
func (r *report) sound(keys ...string) bool {
	for bad := range r.bad {
		for _, key := range keys {
			rest, below := strings.CutPrefix(bad, key)
			if below && (rest == "" || rest[0] == '.' || rest[0] == '[') {
				return false
			}
		}
	}
	return true
}

// err is all faults as one *Errors, or nil.
func (r *report) err() error {
	if len(r.errs) == 0 {
		return nil
	}
	slices.SortStableFunc(r.errs, func(a, b *Error) int {
		if a.Env != "" || b.Env != "" {
			return strings.Compare(a.Env, b.Env) // the file's have none and come first
		}
		return cmp.Compare(a.Line, b.Line)
	})
	return &Errors{List: r.errs, TLS: r.tls}
}

// warnings are sorted like the errors.
func (r *report) warnings() []Warning {
	slices.SortStableFunc(r.warns, func(a, b Warning) int {
		if (a.Line == 0) != (b.Line == 0) {
			return cmp.Compare(b.Line, a.Line)
		}
		return cmp.Compare(a.Line, b.Line)
	})
	return r.warns
}

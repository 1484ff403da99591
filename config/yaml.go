package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parse reads the YAML of the file. The root is nil where nothing stands in it,
// or only comments.
func (r *report) parse(data []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		err = decoder.Decode(&second)
	}
	switch {
	case errors.Is(err, io.EOF):
	case err != nil:
		r.badYAML(data, err)
		return nil
	default:
		r.failLine(second.Line, "", "a second YAML document is there, expected one")
		return nil
	}
	if len(document.Content) != 1 || isNull(document.Content[0]) {
		return nil
	}
	return document.Content[0]
}

// badYAML reports what the YAML parser does not like.
func (r *report) badYAML(data []byte, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	if found := faultyLine(lines); found > 0 {
		line = found
	}
	switch {
	case strings.HasPrefix(text, "unknown anchor"): // it may be half a password
		text = "a text that begins with * stands in quotes"
	case line > 0 && line <= len(lines) && bytes.Contains(lines[line-1], []byte("\t")):
		text += "; did you mean spaces in place of the tab?"
	case strings.Contains(text, "cannot start any token"):
		text += "; a text that begins with one of % @ ` stands in quotes"
	}
	r.failLine(line, "", "not YAML: %s", text)
}

// faultyLine finds the line at which a text stops being YAML: the one after the
// longest beginning that is. The parser itself often names the line where the
// section began. 0: not found in reasonable time.
func faultyLine(lines [][]byte) int {
	const most = 8 << 20 // bytes read again and again
	if whole := len(bytes.Join(lines, nil)); len(lines)*whole > most {
		return 0
	}
	for n := len(lines) - 1; n >= 0; n-- {
		var node yaml.Node
		if yaml.Unmarshal(bytes.Join(lines[:n], nil), &node) == nil {
			return n + 1
		}
	}
	return 0
}

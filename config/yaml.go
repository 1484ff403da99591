package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parse reads the YAML of the file. The root is nil where nothing stands in it,
// or only comments.
func (r *report) parse(data []byte) *yaml.Node {
	if line := notUTF8(data); line > 0 {
		r.failLine(line, "", "a text that is not UTF-8 is there, expected the file in that encoding; in Notepad it is a choice of Save as")
		return nil
	}
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

// notUTF8 is the first line with something that is no UTF-8, as where Notepad has saved
// Chinese as ANSI. 0: there is none, or all of it says that it is UTF-16, which is read too.
func notUTF8(data []byte) int {
	if bytes.HasPrefix(data, []byte("\xFF\xFE")) || bytes.HasPrefix(data, []byte("\xFE\xFF")) {
		return 0
	}
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if !utf8.Valid(text) {
			return line
		}
	}
	return 0
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
	var faulty, before []byte
	if line > 0 && line <= len(lines) {
		faulty, before = lines[line-1], lines[max(line-2, 0)]
	}
	if strings.HasPrefix(text, "unknown anchor") { // it may be half a password
		text = "a text that begins with * stands in quotes"
	} else if hint := meantYAML(text, faulty, before); hint != "" {
		text += "; " + hint
	}
	r.failLine(line, "", "not YAML: %s", text)
}

// valueOfHash is a value that YAML takes for a comment, which has a space in front of it
// and, as people write it, one behind the #.
var valueOfHash = regexp.MustCompile(`[:,{\[-]\s+#[^\s#]`)

// fullWidth is a separator as Chinese is typed, which YAML takes for a part of a text.
var fullWidth = regexp.MustCompile(`^[^#"']*[：，]`)

// meantYAML says what to do about an error of the parser in a line, or nothing. A key
// with a colon that is none goes on in the next line: that is then the faulty one.
func meantYAML(text string, line, before []byte) string {
	switch {
	case bytes.Contains(line, []byte("\t")):
		return "did you mean spaces in place of the tab?"
	case fullWidth.Match(line), fullWidth.Match(before):
		return "did you mean , or : in place of one of full width?"
	case strings.Contains(text, "cannot start any token"):
		return "a text that begins with one of % @ ` stands in quotes"
	case valueOfHash.Match(line):
		return "a text that begins with # stands in quotes"
	case strings.Contains(text, "end of stream"):
		return "is a quote not closed?"
	case strings.Contains(text, "mapping values"):
		return "a text with a colon and a space in it stands in quotes, and the keys of a section begin in one column"
	case strings.Contains(text, "did not find expected ','"), strings.Contains(text, "expected node content"):
		return "a bracket or a quote is not closed, or a text with one of , : # in it does not stand in quotes"
	}
	return ""
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

package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// largest is how many bytes config.yaml may have.
const largest = 256 << 10

// readFile reads a file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, plainError(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, plainError(err)
	}
	if info.IsDir() {
		return nil, errors.New("a directory is there, expected a file")
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, plainError(err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("more than %d bytes are there", limit)
	}
	return data, nil
}

// plainError is the reason without the path, which the message has already.
func plainError(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

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
	hint := ""
	if line > 0 && line <= len(lines) && bytes.Contains(lines[line-1], []byte("\t")) {
		hint = "; did you mean spaces in place of the tab?"
	}
	r.failLine(line, "", "not YAML: %s%s", text, hint)
}

// faultyLine finds the line at which a text stops being YAML: the one after the
// longest beginning that is. The parser itself often names the line where the
// section began. 0: not found in reasonable time.
func faultyLine(lines [][]byte) int {
	const most = 2000
	if len(lines) > most {
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

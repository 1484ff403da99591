package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// scanner turns YAML nodes into a tree of texts, and reports all that does not
// fit the schema. A value with a fault is left out of the tree.
type scanner struct {
	*report
	all spec
}

// section reads a section, or a row of a table, whose key is path.
func (s *scanner) section(n *yaml.Node, at spec, path string) map[string]any {
	tree := map[string]any{}
	if isNull(n) && at.form == section {
		return tree // every key below it is commented out
	}
	line := n.Line
	if n = follow(n); n.Kind != yaml.MappingNode {
		s.failLine(line, path, "%s", wrongSection(n, at))
		return tree
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		key, ok := s.key(name, value, at, path, seen)
		if !ok {
			continue
		}
		if key.kind.secret && isComment(name, value) {
			s.fail(join(path, key.name), `nothing but a comment is there; a text that begins with # stands in quotes, and "" is nothing`)
			continue
		}
		if v, ok := s.value(value, key, join(path, key.name)); ok {
			tree[key.name] = v
		}
	}
	s.complete(seen, at, path)
	return tree
}

// key finds the spec of a key, and refuses unknown and repeated ones.
func (s *scanner) key(n, value *yaml.Node, at spec, path string, seen map[string]int) (spec, bool) {
	if n.Kind != yaml.ScalarNode {
		s.failLine(n.Line, path, "%s is there, expected the name of a key", what(n))
		return spec{}, false
	}
	key, known := at.child(n.Value)
	full, wrong := join(path, printable(n.Value)), ""
	if !known {
		wrong = s.meant(n.Value, at)
	}
	if secret := at.secretKey(); !known && wrong == "" && secret != "" && (at.form == table || isNull(value)) {
		full = path // the key may be a part of the secret, which YAML has split
		wrong = "unknown key, which is not shown (a " + secret + ` that has a comma, or no space after "` + secret +
			`:"? put it in quotes), expected ` + orList(at.names())
	}
	if first, twice := seen[strings.ToLower(n.Value)]; twice {
		s.failLine(n.Line, full, "the key is there twice, first in line %d, expected it once", first)
		return spec{}, false
	}
	seen[strings.ToLower(n.Value)] = n.Line
	if !known {
		s.failLine(n.Line, full, "%s", cmp.Or(wrong, "unknown key, expected "+orList(at.names())))
		return spec{}, false
	}
	s.origins[full] = origin{line: n.Line}
	return key, true
}

// meant words what is said about a key that does not exist here and is like one
// that does. Empty: it is like none.
func (s *scanner) meant(name string, at spec) string {
	if name == "<<" {
		return "a YAML merge key is there, expected the keys themselves"
	}
	if near := nearest(name, at.names()); near != "" {
		return "unknown key; did you mean " + near + "?"
	}
	var elsewhere []string
	s.all.each(func(key string, _ spec) {
		if key == name || strings.HasSuffix(key, "."+name) {
			elsewhere = append(elsewhere, key)
		}
	})
	if len(elsewhere) > 0 {
		return "unknown key; did you mean " + orList(elsewhere) + "?"
	}
	return ""
}

// complete reports keys that a row can't do without.
func (s *scanner) complete(seen map[string]int, at spec, path string) {
	for _, key := range at.keys {
		if key.must && seen[key.name] == 0 {
			s.fail(path, "%s is missing, expected %s", key.name, key.kind.want)
		}
	}
}

// value reads what stands at a key.
func (s *scanner) value(n *yaml.Node, at spec, path string) (any, bool) {
	switch at.form {
	case section:
		return s.section(n, at, path), true
	case list, table:
		return s.list(n, at, path)
	default:
		return s.scalar(n, at.kind, path)
	}
}

// list reads a list of scalars or of rows.
func (s *scanner) list(n *yaml.Node, at spec, path string) (any, bool) {
	n = follow(n)
	if isNull(n) {
		s.fail(path, "nothing is there, expected %s", cmp.Or(at.some, "a list; write [] for an empty one"))
		return nil, false
	}
	if n.Kind != yaml.SequenceNode {
		s.fail(path, "%s is there, expected a list%s", what(n), meantList(n, at))
		return nil, false
	}
	values := []any{}
	for i, element := range n.Content {
		key := fmt.Sprintf("%s[%d]", path, i)
		s.origins[key] = origin{line: element.Line}
		if at.form == table {
			values = append(values, s.section(element, at, key)) // a bad row keeps its place
		} else if text, ok := s.scalar(element, at.kind, key); ok {
			values = append(values, text)
		}
	}
	return values, true
}

// scalar reads one value as the text that was written.
func (s *scanner) scalar(n *yaml.Node, k kind, path string) (string, bool) {
	line := n.Line
	if n.Anchor != "" && (k.secret || isNull(n)) { // it may be half a password
		s.fail(path, "a YAML anchor is there, expected %s; a text that begins with & stands in quotes", k.want)
		return "", false
	}
	n = follow(n)
	s.filled[path] = n.Kind != yaml.ScalarNode || n.Value != ""
	if n.Kind != yaml.ScalarNode {
		s.fail(path, "%s is there, expected %s", what(n), k.want)
		return "", false
	}
	if wrong := misread(n, k); wrong != nil {
		s.failLine(line, path, "%s", k.message(n.Value, wrong))
		return "", false
	}
	if wrong := k.judge(n.Value); wrong != "" {
		if isNull(n) && n.Value != "" && k.check("") == nil {
			wrong += `; for nothing, write ""`
		}
		s.failLine(line, path, "%s", wrong)
		return "", false
	}
	if isNull(n) && n.Value != "" && !k.secret {
		s.warn(path, `%s is taken as a text; for nothing, write ""`, quote(n.Value))
	}
	return n.Value, true
}

// isComment says whether what stands behind a key is a comment without a space,
// which may have been meant as the value.
func isComment(key, value *yaml.Node) bool {
	text := strings.TrimPrefix(key.LineComment, "#")
	return isNull(value) && value.Value == "" && text != "" && !strings.HasPrefix(text, " ") && !strings.HasPrefix(text, "\t")
}

// misread finds what YAML would take for something else than the text.
func misread(n *yaml.Node, k kind) *flaw {
	if tag := n.ShortTag(); tag == "!!binary" || !strings.HasPrefix(tag, "!!") {
		return &flaw{why: "behind a YAML tag (a text that begins with ! stands in quotes)"}
	}
	const text = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	if k.plain && n.Style&text != 0 {
		return &flaw{why: "in quotes, which make it a text"}
	}
	return nil
}

// follow is what an alias stands for.
func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// what says in a word what a node is.
func what(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section with keys"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if n.Value == "" {
			return "nothing"
		}
		return quote(n.Value)
	}
	return "something else"
}

// wrongSection words what is said where keys should be. What stands in a row may
// be a password, and is not repeated.
func wrongSection(n *yaml.Node, at spec) string {
	if at.form != table {
		return what(n) + " is there, expected a section with " + strings.Join(at.names(), ", ")
	}
	is := what(n)
	if n.Kind == yaml.ScalarNode {
		is = "a value without a key"
	}
	return is + " is there, expected rows with " + strings.Join(at.names(), ", ")
}

// meantList shows a lone value as a list.
func meantList(n *yaml.Node, at spec) string {
	if n.Kind == yaml.ScalarNode && at.form == list && at.kind.check(n.Value) == nil {
		return "; did you mean [" + yamlText(n.Value) + "]?"
	}
	if n.Kind == yaml.MappingNode && at.form == table {
		return "; did you forget the - before it?"
	}
	return ""
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// printable is the name of a key for a message: short, and quoted where it is
// not made of letters.
func printable(name string) string {
	odd := func(r rune) bool {
		return !slices.Contains([]rune("_-"), r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	if name == "" || len(name) > 60 || strings.ContainsFunc(name, odd) {
		return quote(name)
	}
	return name
}

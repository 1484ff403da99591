package config

import (
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// hiddenText stands in place of a secret.
const hiddenText = "****************"

// Describe writes what is in force as YAML, in the order of the sample file.
// Secrets are hidden. A comment says where a value came from, if not from the
// file, and which keys do nothing yet.
func (c *Config) Describe(w io.Writer) {
	d := &description{Config: c, notYet: map[string]bool{}}
	for _, m := range notYet() {
		d.notYet[m.key] = m.only == nil
	}
	d.section(schema(), "", "")
	io.WriteString(w, d.text.String())
}

// description is a Describe at work.
type description struct {
	*Config
	notYet map[string]bool
	text   strings.Builder
}

func (d *description) section(at spec, path, indent string) {
	for _, key := range at.keys {
		full := join(path, key.name)
		switch key.form {
		case section:
			d.line(indent+key.name+":", "")
			d.section(key, full, indent+"  ")
		case table:
			d.table(key, full, indent)
		default:
			d.line(indent+key.name+": "+d.value(full, key), d.comment(full))
		}
	}
}

// line writes one line, its comment in a column of its own.
func (d *description) line(text, comment string) {
	if comment == "" {
		fmt.Fprintln(&d.text, text)
		return
	}
	fmt.Fprintf(&d.text, "%-39s # %s\n", text, comment)
}

// value is a scalar or a list as the file would have it.
func (d *description) value(key string, at spec) string {
	v := lookup(d.Config, key)
	if key == "turn.secret" && (d.TURN.SecretFile != "" || d.isGenerated(secretName)) {
		return `""`
	}
	if at.kind.secret && v != "" {
		return yamlText(hiddenText)
	}
	return show(v)
}

// comment says where a value came from, and whether its key does something.
func (d *description) comment(key string) string {
	var parts []string
	switch at, given := d.origins[key]; {
	case at.env != "":
		parts = append(parts, at.env)
	case !given:
		parts = append(parts, "default")
	}
	if key == "turn.secret" && d.TURN.SecretFile == "" && (d.isGenerated(secretName) || d.TURN.Secret == "") {
		parts = append(parts, "generated, kept in state_dir")
	}
	if d.notYet[key] {
		parts = append(parts, "not yet")
	}
	return strings.Join(parts, "; ")
}

// table writes turn.listen or turn.users, one row a line.
func (d *description) table(at spec, path, indent string) {
	rows := d.rows(path)
	if len(rows) == 0 {
		d.line(indent+at.name+": []", d.comment(path))
		return
	}
	d.line(indent+at.name+":", d.comment(path))
	for _, row := range rows {
		d.line(indent+"  - {"+row.text+"}", row.comment)
	}
}

type descriptionRow struct{ text, comment string }

func (d *description) rows(path string) []descriptionRow {
	var rows []descriptionRow
	if path == "turn.listen" {
		for _, l := range d.TURN.Listen {
			rows = append(rows, descriptionRow{text: "network: " + l.Network + ", address: " + yamlText(l.Address)})
		}
		return rows
	}
	for _, user := range d.TURN.Users {
		rows = append(rows, d.user(user))
	}
	return rows
}

func (d *description) user(user User) descriptionRow {
	text := "name: " + yamlText(user.Name)
	switch {
	case user.Key != "":
		return descriptionRow{text: text + ", key: " + yamlText(hiddenText+hiddenText)}
	case user.PasswordFile != "":
		return descriptionRow{text: text + ", password_file: " + yamlText(user.PasswordFile)}
	case user.Password == "" || d.isGenerated(passwordName(user.Name)):
		return descriptionRow{text + `, password: ""`, "generated, kept in state_dir"}
	}
	return descriptionRow{text: text + ", password: " + yamlText(hiddenText)}
}

// isGenerated says whether a secret came from this file of state_dir, or would.
func (d *description) isGenerated(name string) bool {
	_, is := d.generated[name]
	return is
}

// show is a value as the file would have it.
func show(v any) string {
	switch v := v.(type) {
	case string:
		return yamlText(v)
	case time.Duration:
		return short(v)
	case netip.Addr:
		if !v.IsValid() {
			return `""`
		}
		return yamlText(v.String())
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	if list := reflect.ValueOf(v); list.Kind() == reflect.Slice {
		texts := make([]string, list.Len())
		for i := range texts {
			texts[i] = yamlText(fmt.Sprint(list.Index(i).Interface()))
		}
		return "[" + strings.Join(texts, ", ") + "]"
	}
	return fmt.Sprint(v)
}

// bareText is a text that YAML takes for one without quotes.
var bareText = regexp.MustCompile(`^[A-Za-z0-9/][A-Za-z0-9_./-]*(:[A-Za-z0-9_./-]+)*$`)

// yamlText is a text as YAML, in quotes where it needs them.
func yamlText(text string) string {
	if bareText.MatchString(text) {
		return text
	}
	return strconv.Quote(text)
}

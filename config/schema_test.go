package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestSchemaIsTheTypes holds that each key of the schema is a field, and each
// field a key.
func TestSchemaIsTheTypes(t *testing.T) {
	compareKeys(t, "", schema(), reflect.TypeFor[Config]())
}

func compareKeys(t *testing.T, path string, at spec, typ reflect.Type) {
	fields := map[string]reflect.Type{}
	for i := range typ.NumField() {
		if tag := typ.Field(i).Tag.Get("mapstructure"); tag != "" && tag != "-" {
			fields[tag] = typ.Field(i).Type
		} else if typ.Field(i).IsExported() && tag != "-" {
			t.Errorf("%s%s has no key", path, typ.Field(i).Name)
		}
	}
	for _, key := range at.keys {
		field, ok := fields[key.name]
		delete(fields, key.name)
		switch {
		case !ok:
			t.Errorf("%s%s is in the schema and no field", path, key.name)
		case key.form == section:
			compareKeys(t, path+key.name+".", key, field)
		case key.form == table:
			compareKeys(t, path+key.name+".", key, field.Elem())
		}
	}
	for name := range fields {
		t.Errorf("%s%s is a field and not in the schema", path, name)
	}
}

// TestDefaultsAreValid holds the defaults to the rules for what is written.
func TestDefaultsAreValid(t *testing.T) {
	schema().each(func(key string, at spec) {
		if at.form == scalar && at.kind.judge(at.text) != "" {
			t.Errorf("%s: %s", key, at.kind.judge(at.text))
		}
		for _, text := range at.list {
			if at.form == list && at.kind.judge(text.(string)) != "" {
				t.Errorf("%s: %s", key, at.kind.judge(text.(string)))
			}
		}
	})
}

// TestVariablesDiffer holds that no two keys have one variable.
func TestVariablesDiffer(t *testing.T) {
	seen := map[string]string{}
	schema().each(func(key string, _ spec) {
		if other := seen[envName(key)]; other != "" {
			t.Errorf("%s and %s have one variable", key, other)
		}
		seen[envName(key)] = key
	})
}

func TestNotYetKeysExist(t *testing.T) {
	for _, m := range notYet() {
		at := schema().find(m.key)
		if at.name == "" {
			t.Errorf("%s is no key", m.key)
		}
		for _, word := range m.only {
			if !strings.Contains(" "+strings.Join(at.kind.words, " ")+" ", " "+word+" ") {
				t.Errorf("%s never is %s", m.key, word)
			}
		}
	}
}

// TestSampleIsTheDefaults holds the config.yaml at the root to what is in force
// without it.
func TestSampleIsTheDefaults(t *testing.T) {
	sample, err := filepath.Abs("../config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	house(t)
	c, warnings, err := Load(sample)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	want := Default()
	want.Path, want.StateDir = sample, filepath.Join(filepath.Dir(sample), "state")
	equal(t, c, want)
}

// TestSampleHasEveryKey holds that every key stands in the sample, set or in a
// comment, and those of rows too.
func TestSampleHasEveryKey(t *testing.T) {
	data, err := os.ReadFile("../config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	l := &loaded{report: newReport("config.yaml"), files: newFiles()}
	l.tree("../config.yaml", schema())
	schema().each(func(key string, at spec) {
		if _, ok := l.report.origins[key]; !ok {
			t.Errorf("%s is not in the sample", key)
		}
		for _, column := range at.keys {
			if !regexp.MustCompile(`[{ ]` + column.name + `:`).Match(data) {
				t.Errorf("%s.%s is not in the sample", key, column.name)
			}
		}
	})
}

func TestNearest(t *testing.T) {
	words := []string{"realm", "listen", "drain", "key", "udp", "allocations_per_user"}
	for written, want := range map[string]string{
		"relam": "realm", "reallm": "realm", "ralm": "realm", "REALM": "realm",
		"lisetn": "listen", "listne": "listen", "drian": "drain",
		"ke": "key", "kex": "key", "kxx": "", "upd": "udp", "": "",
		"allocations-per-user": "allocations_per_user", "allocationperuser": "allocations_per_user",
		"something": "", strings.Repeat("realm", 20): "",
	} {
		if got := nearest(written, words); got != want {
			t.Errorf("nearest(%q) is %q, want %q", written, got, want)
		}
	}
}

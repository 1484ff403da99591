package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// missing is a key of the format whose feature is not built yet.
type missing struct {
	key  string
	only []string // the values that are not there yet; nil: all but the default
}

// notYet is what this release refuses, so that nobody trusts what nothing does.
// A line goes when its feature comes.
func notYet() []missing {
	return []missing{
		{"public.source", []string{"dns", "stun"}},
		{"public.dns", nil},
		{"public.stun", nil},
		{"turn.stun_alternate.listen", nil},
		{"turn.stun_alternate.public", nil},
		{"turn.relay.datapath", []string{"xdp"}},
		{"turn.relay.interfaces", nil},
		{"tls.source", []string{"acme"}},
		{"tls.acme.email", nil},
		{"tls.acme.directory", nil},
		{"tls.acme.challenge", nil},
		{"tls.acme.dns_exec", nil},
	}
}

// judgeAvailable refuses values whose feature is not there yet.
func (r *report) judgeAvailable(c *Config) {
	defaults, all := Default(), schema()
	for _, m := range notYet() {
		at := all.find(m.key)
		r.refuse(m.key, m, at, lookup(c, m.key), lookup(defaults, m.key))
	}
}

// refuse refuses a value of a key if it belongs to what is missing.
func (r *report) refuse(key string, m missing, at spec, value, standard any) {
	switch {
	case !r.sound(key):
	case m.only == nil && !reflect.DeepEqual(value, standard):
		r.fail(key, "%s is there: not available yet, expected the default %s", show(value), show(standard))
	case slices.Contains(m.only, fmt.Sprint(value)):
		left := slices.DeleteFunc(slices.Clone(at.kind.words), func(word string) bool {
			return slices.Contains(m.only, word)
		})
		r.fail(key, "%s is there: not available yet, expected %s", value, orList(left))
	}
}

// lookup is the value of a key. Keys come from the schema, and a test holds the
// schema and the types together.
func lookup(c *Config, key string) any {
	v := reflect.ValueOf(c).Elem()
	for name := range strings.SplitSeq(key, ".") {
		t := v.Type()
		for i := range t.NumField() {
			if t.Field(i).Tag.Get("mapstructure") == name {
				v = v.Field(i)
				break
			}
		}
	}
	return v.Interface()
}

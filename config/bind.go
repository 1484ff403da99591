package config

import (
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/viper"
)

// envPrefix begins the name of every environment variable that is read.
const envPrefix = "ICEBOX_"

// envName is the environment variable of a key: ICEBOX_TURN_RELAY_PORTS.
func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// bind lays the file over the defaults, and the environment over both. Every
// value in it is a checked text; fromText turns it into what the field holds.
func bind(all spec, tree map[string]any, env map[string]string) (*Config, error) {
	v := viper.New()
	var err error
	all.each(func(key string, at spec) {
		if at.form == scalar {
			v.SetDefault(key, at.text)
		} else {
			v.SetDefault(key, at.list)
		}
		if name, ok := env[key]; ok && err == nil {
			err = v.BindEnv(key, name)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("binding the environment: %w", err)
	}
	if err := v.MergeConfigMap(tree); err != nil {
		return nil, fmt.Errorf("laying the file over the defaults: %w", err)
	}
	c := &Config{}
	if err := v.UnmarshalExact(c, viper.DecodeHook(fromText)); err != nil {
		return nil, fmt.Errorf("filling in the configuration: %w", err)
	}
	return c, nil
}

// fromText turns a text of the file into the type of its field.
func fromText(from, to reflect.Type, data any) (any, error) {
	if from.Kind() != reflect.String {
		return data, nil
	}
	text := data.(string)
	switch reflect.Zero(to).Interface().(type) {
	case time.Duration:
		return time.ParseDuration(text)
	case netip.Addr:
		if text == "" {
			return netip.Addr{}, nil
		}
		return netip.ParseAddr(text)
	case netip.Prefix:
		return netip.ParsePrefix(text)
	case PortRange:
		return parsePorts(text)
	case bool:
		return strconv.ParseBool(text)
	case int:
		return strconv.Atoi(text)
	case int64:
		return strconv.ParseInt(text, 10, 64)
	case float64:
		return strconv.ParseFloat(text, 64)
	}
	return data, nil
}

// environment checks what the environment holds, and gives the variables that
// are good by their key. Only scalar keys have one; an empty variable is as good
// as none.
func (r *report) environment(all spec) map[string]string {
	env, known, lists := map[string]string{}, []string{}, map[string]string{}
	all.each(func(key string, at spec) {
		name := envName(key)
		if at.form != scalar {
			lists[name] = key
			return
		}
		known = append(known, name)
		text := os.Getenv(name)
		if text == "" {
			return
		}
		r.origins[key] = origin{env: name}
		r.filled[key] = true
		if wrong := at.kind.judge(text); wrong != "" {
			r.fail(key, "%s", wrong)
			return
		}
		env[key] = name
	})
	r.unknownVariables(known, lists)
	return env
}

// unknownVariables warns of ICEBOX_ variables that are no key.
func (r *report) unknownVariables(known []string, lists map[string]string) {
	isKnown := map[string]bool{}
	for _, name := range known {
		isKnown[name] = true
	}
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, envPrefix) || isKnown[name] {
			continue
		}
		message := "no key has this variable, so it does nothing"
		if key, ok := lists[name]; ok {
			message = key + " is a list and stands in the file only, so this variable does nothing"
		} else if near := nearest(name, known); near != "" {
			message += "; did you mean " + near + "?"
		}
		r.warns = append(r.warns, Warning{Key: name, Message: message})
	}
}

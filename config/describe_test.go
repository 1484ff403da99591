package config

import (
	"regexp"
	"strings"
	"testing"
)

func described(c *Config) string {
	var b strings.Builder
	c.Describe(&b)
	return b.String()
}

func TestDescribe(t *testing.T) {
	dir := house(t)
	write(t, "sekret", "correct horse battery staple\n")
	t.Setenv("ICEBOX_LOG_LEVEL", "debug")
	c, _ := loadText(t, `
domain: home.example
public: {source: static, ipv4: 203.0.113.7}
turn:
  users:
    - {name: ann, password: correct horse battery staple}
    - {name: "b \"b\"", password_file: sekret}
    - {name: eve, key: 00112233445566778899aabbccddeeff}
    - {name: new}
  peers: {allow: [192.168.1.20/32, "2001:db8::/32"]}
signaling: {seed_room: false}
`)
	for range 2 { // the second time with what was generated
		text := described(c)
		for _, want := range []string{
			"domain: home.example\n",
			"state_dir: " + dir + "/state", "# default\n",
			"  ipv4: 203.0.113.7\n",
			"  dns: \"\"                               # default; not yet\n",
			"  realm: home.example                   # default\n",
			"  listen:                               # default\n    - {network: udp, address: \":3478\"}\n",
			"  users:\n    - {name: ann, password: \"****************\"}\n",
			"    - {name: \"b \\\"b\\\"\", password_file: " + dir + "/sekret}\n",
			"    - {name: eve, key: \"********************************\"}\n",
			"    - {name: new, password: \"\"}         # generated, kept in state_dir\n",
			"  secret: \"\"                            # default; generated, kept in state_dir\n",
			"    allow: [192.168.1.20/32, \"2001:db8::/32\"]\n",
			"  seed_room: false\n",
			"  source: self-signed                   # default\n",
			"  level: debug                          # ICEBOX_LOG_LEVEL\n",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("lacks\n%s\nin\n%s", want, text)
			}
		}
		for _, secret := range []string{"correct horse", "0011223344", c.TURN.Secret, c.TURN.Users[3].Password} {
			if secret != "" && strings.Contains(text, secret) {
				t.Errorf("%q is in\n%s", secret, text)
			}
		}
		if err := c.Secrets(true); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDescribeHasEveryKey holds Describe to the keys and the order of the schema.
func TestDescribeHasEveryKey(t *testing.T) {
	text := described(Default())
	schema().each(func(key string, _ spec) {
		name := key[strings.LastIndexByte(key, '.')+1:]
		found := regexp.MustCompile(`(?m)^ *` + name + `:`).FindStringIndex(text)
		if found == nil {
			t.Fatalf("%s does not come in its place; left is\n%s", key, text)
		}
		text = text[found[1]:]
	})
}

// TestDescribeReadsBack loads what Describe wrote.
func TestDescribeReadsBack(t *testing.T) {
	house(t)
	for _, text := range []string{"{}", "domain: bücher.example\nturn: {drain: 61s, users: [{name: 'a\"\\b'}, {name: \"- x\"}, {name: \"#\"}]}",
		"admin: {listen: \"\"}\nturn: {users: [], relay: {address: \"2001:db8::1\"}, listen: [{network: udp, address: \"[::1]:5\"}]}",
		"state_dir: 'a: b # c'\ntls: {cert: \"...\", key: \"---\"}"} {
		c, _ := loadText(t, text)
		readsBack(t, c)
	}
}

// readsBack loads the description of a configuration, and compares all but the
// secrets.
func readsBack(t testing.TB, c *Config) {
	t.Helper()
	text := described(c)
	hidden := hiddenText + hiddenText
	write(t, "again.yaml", strings.ReplaceAll(text, hidden, strings.Repeat("0", len(hidden))))
	again, _, err := Load("again.yaml")
	if err != nil {
		t.Fatalf("the description\n%s\nis refused:\n%v", text, err)
	}
	again.Path = c.Path
	again.TURN.Secret = c.TURN.Secret
	for i := range min(len(c.TURN.Users), len(again.TURN.Users)) {
		again.TURN.Users[i].Password, again.TURN.Users[i].Key = c.TURN.Users[i].Password, c.TURN.Users[i].Key
	}
	equal(t, again, c)
}

// TestDescribeHidesTheSecret holds for one from each place.
func TestDescribeHidesTheSecret(t *testing.T) {
	house(t)
	const secret = "0123456789abcdef"
	write(t, "sekret", secret)
	inFile, _ := loadText(t, "turn:\n  secret: "+secret)
	inOther, _ := loadText(t, "turn:\n  secret_file: sekret")
	t.Setenv("ICEBOX_TURN_SECRET", secret)
	inVariable, _ := loadText(t, "{}")
	for want, c := range map[string]*Config{
		`  secret: "****************"` + "\n":                                 inFile,
		`  secret: ""                            # default` + "\n":            inOther,
		`  secret: "****************"            # ICEBOX_TURN_SECRET` + "\n": inVariable,
	} {
		if text := described(c); c.TURN.Secret != secret || strings.Contains(text, secret) || !strings.Contains(text, want) {
			t.Errorf("the secret is %q, described as\n%s\nwant %s", c.TURN.Secret, text, want)
		}
	}
}

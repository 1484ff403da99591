package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// kind is what a scalar key takes.
type kind struct {
	want   string                  // said after "expected"
	check  func(text string) *flaw // nil: the value is fine
	plain  bool                    // a number, true or false: never in quotes
	secret bool                    // never repeated in a message
	words  []string                // all values, where they are a few words
}

// flaw is what is wrong with a value. All of it may be empty.
type flaw struct {
	why  string // what is wrong, where what was expected does not say it
	mean string // what was probably meant; said only if it would be right
}

// judge checks a value and puts what is wrong with it into words. Empty: fine.
func (k kind) judge(text string) string {
	f := k.check(text)
	if f == nil {
		f = badText(text)
	}
	if f == nil {
		return ""
	}
	return k.message(text, f)
}

func (k kind) message(text string, f *flaw) string {
	var b strings.Builder
	switch {
	case text == "":
		b.WriteString("nothing is there")
	case k.secret:
		b.WriteString("a value that is not shown is there")
	default:
		b.WriteString(quote(text) + " is there")
	}
	if f.why != "" {
		b.WriteString(", " + f.why)
	}
	b.WriteString(", expected " + k.want)
	if meant := strings.Trim(f.mean, `"`); f.mean != "" && meant != text && k.check(meant) == nil {
		b.WriteString("; did you mean " + f.mean + "?")
	}
	return b.String()
}

// quote is a value for a message: one line, not too long.
func quote(text string) string {
	const longest = 60
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "..."
	}
	return strconv.Quote(text)
}

// badText refuses what no value of this file may hold.
func badText(text string) *flaw {
	if !utf8.ValidString(text) {
		return &flaw{why: "not UTF-8"}
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return &flaw{why: "with a line break or another control character in it"}
	}
	return nil
}

// anyText takes every text of at most some bytes.
func anyText(most int) kind {
	want := fmt.Sprintf("a text of at most %d bytes", most)
	return kind{want: want, check: func(text string) *flaw {
		if len(text) > most {
			return &flaw{why: "too long"}
		}
		return nil
	}}
}

// hidden is a text that is a secret, of at least some bytes or empty.
func hidden(least int) kind {
	k := anyText(256)
	fits := k.check
	if least > 0 {
		k.want = fmt.Sprintf("at least %d and at most 256 bytes", least)
	}
	k.secret = true
	k.check = func(text string) *flaw {
		if text != "" && len(text) < least {
			return &flaw{why: fmt.Sprintf("%d bytes long", len(text))}
		}
		return fits(text)
	}
	return k
}

// oneOf takes one of a few words.
func oneOf(words ...string) kind {
	return kind{want: orList(words), words: words, check: func(text string) *flaw {
		if slices.Contains(words, text) {
			return nil
		}
		return &flaw{mean: nearest(text, words)}
	}}
}

// trueFalse takes true or false, and no other spelling of them.
func trueFalse() kind {
	k := oneOf("true", "false")
	k.plain = true
	meant := map[string]string{"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}
	is := k.check
	k.check = func(text string) *flaw {
		f := is(text)
		if f != nil && meant[strings.ToLower(text)] != "" {
			f.mean = meant[strings.ToLower(text)]
		}
		return f
	}
	return k
}

// whole takes a whole number, in decimal digits.
func whole(least, most int64) kind {
	want := fmt.Sprintf("a whole number from %d to %d", least, most)
	return kind{want: want, plain: true, check: func(text string) *flaw {
		if !digits(strings.TrimPrefix(text, "-")) {
			return &flaw{mean: meantNumber(text)}
		}
		if strings.HasPrefix(text, "0") && len(text) > 1 {
			return &flaw{why: "with a zero before it", mean: strings.TrimLeft(text[:len(text)-1], "0") + text[len(text)-1:]}
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < least || n > most {
			return &flaw{}
		}
		return nil
	}}
}

// meantNumber guesses at a number in another spelling: 1_000, 1,000, 0x10, 1e3.
func meantNumber(text string) string {
	n, err := strconv.ParseInt(strings.NewReplacer(",", "", "_", "", " ", "").Replace(text), 0, 64)
	if err == nil && n > 0 {
		return strconv.FormatInt(n, 10)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err == nil && f == float64(int32(f)) && f > 0 {
		return strconv.Itoa(int(f))
	}
	return ""
}

// perSecond takes a number above 0, with a fraction or without.
func perSecond(most float64) kind {
	want := fmt.Sprintf("a number a second, above 0 and up to %.0f", most)
	return kind{want: want, plain: true, check: func(text string) *flaw {
		before, after, point := strings.Cut(text, ".")
		if !digits(before) || point && !digits(after) {
			return &flaw{mean: meantNumber(text)}
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || n <= 0 || n > most {
			return &flaw{}
		}
		return nil
	}}
}

// span takes a duration with its unit.
func span(least, most time.Duration) kind {
	want := fmt.Sprintf("a duration from %s to %s, such as 30s, 5m or 12h", short(least), short(most))
	return kind{want: want, check: func(text string) *flaw {
		d, err := time.ParseDuration(text)
		switch {
		case digits(text) && text != "0":
			return &flaw{why: "without a unit", mean: strings.TrimLeft(text, "0") + "s"}
		case err != nil:
			return &flaw{mean: meantSpan(text)}
		case d < least || d > most:
			return &flaw{}
		}
		return nil
	}}
}

// meantSpan guesses at a duration in another spelling: 7d, 30 seconds, 5 min.
func meantSpan(text string) string {
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	if !digits(number) || len(number) > 6 {
		return ""
	}
	n, _ := strconv.Atoi(number)
	unit := strings.ToLower(strings.TrimSpace(text[len(number):]))
	switch {
	case strings.HasPrefix(unit, "s"):
		return fmt.Sprintf("%ds", n)
	case strings.HasPrefix(unit, "m"):
		return fmt.Sprintf("%dm", n)
	case strings.HasPrefix(unit, "h"):
		return fmt.Sprintf("%dh", n)
	case strings.HasPrefix(unit, "d"):
		return fmt.Sprintf("%dh", 24*n)
	}
	return ""
}

// short is a duration without zero parts: 12h, not 12h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// filePath takes a path. Relative ones begin where config.yaml lies.
func filePath() kind {
	return kind{want: "a path", check: func(text string) *flaw {
		if text == "~" || strings.HasPrefix(text, "~/") {
			return &flaw{why: "and ~ is not expanded"}
		}
		if len(text) > 4096 {
			return &flaw{why: "too long"}
		}
		return nil
	}}
}

// required makes a kind refuse the empty text.
func required(k kind) kind {
	check := k.check
	k.check = func(text string) *flaw {
		if text == "" {
			return &flaw{}
		}
		return check(text)
	}
	return k
}

// optional makes a kind take the empty text too.
func optional(k kind) kind {
	check := k.check
	k.want += ", or nothing"
	k.check = func(text string) *flaw {
		if text == "" {
			return nil
		}
		return check(text)
	}
	return k
}

// absolute is a path as it stands in a file of directory base.
func absolute(base, path string) string {
	if path == "" {
		return ""
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	return filepath.Clean(path)
}

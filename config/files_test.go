package config

import "testing"

func TestOneLine(t *testing.T) {
	for data, want := range map[string]struct{ text, err string }{
		"hunter2":                  {text: "hunter2"},
		"hunter2\n":                {text: "hunter2"},
		"hunter2\r\n":              {text: "hunter2"},
		" hunter2 ":                {text: " hunter2 "},
		"\uFEFFhunter2\r\n":        {text: "hunter2"},
		"hunter\uFEFF2":            {text: "hunter\uFEFF2"},
		"":                         {err: "it is empty"},
		"\n":                       {err: "it is empty"},
		"\uFEFF":                   {err: "it is empty"},
		"a\nb\n":                   {err: "it has more than one line"},
		"\xff\xfeh\x00u\x00\n\x00": {err: "it is not UTF-8 text"}, // UTF-16, as an editor of Windows saves it
		"h\x00u\x00\n\x00":         {err: "it is not UTF-8 text"},
		"gr\xfcn\n":                {err: "it is not UTF-8 text"},
	} {
		text, err := oneLine([]byte(data), nil)
		if got := errorText(err); text != want.text || got != want.err {
			t.Errorf("%q: %q, error %q, want %q, error %q", data, text, got, want.text, want.err)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rsc.io/qr/coding"
)

// need skips the test by name where command is missing; on CI that is a failure.
func need(t *testing.T, command string) {
	t.Helper()
	if _, err := exec.LookPath(command); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("needs %s", command)
	}
	t.Skipf("needs %s", command)
}

// node runs node with args in a folder that has the scripts of the pages in
// assets/ and those of testdata beside it.
func node(t *testing.T, input string, args ...string) string {
	t.Helper()
	need(t, "node")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "assets"), os.DirFS("assets")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type": "module"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(input)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("node %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), problems.String())
	}
	return out.String()
}

// The scripts' own tests are testdata/*.test.mjs.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.test.mjs")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	args := []string{"--test"}
	for _, f := range files {
		args = append(args, filepath.Base(f))
	}
	t.Log(node(t, "", args...))
}

// The QR codes of the pages are those of another encoder, for every version and
// every mask.
func TestQRCodes(t *testing.T) {
	var input strings.Builder
	var want []string
	for version := coding.Version(1); version <= 10; version++ {
		room := version.DataBytes(coding.M) - 2
		if version >= 10 {
			room--
		}
		text := strings.Repeat("https://家.example/1cs1cs#", 12)
		for !strings.HasPrefix(text, "https") || len(text) > room {
			text = text[:len(text)-1]
		}
		text = strings.ToValidUTF8(text, "~")
		for mask := range coding.Mask(8) {
			line, err := json.Marshal([]any{text, mask})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&input, "%s\n", line)
			want = append(want, encode(t, version, mask, text))
		}
	}
	input.WriteString(`["` + strings.Repeat("x", 214) + `", null]` + "\n")
	want = append(want, "too long")
	got := strings.Split(strings.TrimSpace(node(t, input.String(), "qr.mjs")), "\n\n")
	if len(got) != len(want) {
		t.Fatalf("%d codes, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("version %d, mask %d:\n%s\nwant\n%s", i/8+1, i%8, got[i], want[i])
		}
	}
}

// encode is the code of text as the other encoder makes it.
func encode(t *testing.T, version coding.Version, mask coding.Mask, text string) string {
	t.Helper()
	plan, err := coding.NewPlan(version, coding.M, mask)
	if err != nil {
		t.Fatal(err)
	}
	code, err := plan.Encode(coding.String(text))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for y := range code.Size {
		var row strings.Builder
		for x := range code.Size {
			if code.Black(x, y) {
				row.WriteByte('1')
			} else {
				row.WriteByte('0')
			}
		}
		rows = append(rows, row.String())
	}
	return strings.Join(rows, "\n")
}

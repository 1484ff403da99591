package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayImport says which packages of this module each package may import outside
// its tests: imports run one way. cmd/icebox alone may import them all, and what
// is only there for tests (natlab, conformance, e2e, interop, bench,
// internal/boxtest) is imported by tests.
var mayImport = map[string][]string{
	"config":           {"internal/hostnet"},
	"certs":            {"config", "internal/hostnet"},
	"publicaddr":       {"config", "internal/hostnet"},
	"signaling":        {"config", "internal/hostnet", "internal/nowait"},
	"turnserver":       {"config", "internal/hostnet", "internal/nowait", "turnserver/batch"},
	"turnserver/batch": {},
	"web":              {"config", "internal/hostnet", "internal/nowait"},
	"natlab":           {},
	"conformance":      {},
	"e2e/browser":      {},
	"interop":          {},
	"internal/boxtest": {"natlab"},
	"internal/hostnet": {},
	"internal/nowait":  {},
	"bench":            {},
	"bench/plainpion":  {},
	"bench/seedserver": {},
	"bench/gorillahub": {},
	"cmd/icebox":       {"config", "certs", "publicaddr", "signaling", "turnserver", "web", "internal/hostnet"},
}

// TestImportsRunOneWay fails where a package imports one of ours that it should
// not know.
func TestImportsRunOneWay(t *testing.T) {
	seen := 0
	for name, file := range moduleFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		dir := path.Dir(name)
		allowed, known := mayImport[dir]
		if !known {
			t.Errorf("%s: package %s is in no row of mayImport", name, dir)
			continue
		}
		seen++
		for _, spec := range file.Imports {
			target, ours := strings.CutPrefix(importPath(spec), "icebox/")
			if ours && !slices.Contains(allowed, target) {
				t.Errorf("%s: %s must not import %s", name, dir, target)
			}
		}
	}
	if seen < 5 {
		t.Errorf("only %d files were looked at", seen)
	}
}

// TestNobodyUsesDTLS keeps the unfixed CVE-2026-26014 of pion/dtls v2 out of
// reach. pion/stun v2 imports that module, so it is in the build; it runs only
// when somebody dials through stun or imports dtls.
func TestNobodyUsesDTLS(t *testing.T) {
	for name, file := range moduleFiles(t) {
		for _, fault := range dtlsUses(file) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// TestDTLSUsesAreFound shows that the guard sees what it is there for.
func TestDTLSUsesAreFound(t *testing.T) {
	for _, c := range []struct {
		source string
		faults int
	}{
		{`import "github.com/pion/dtls/v2"`, 1},
		{`import _ "github.com/pion/dtls/v3/pkg/crypto"`, 1},
		{`import . "github.com/pion/stun/v2"`, 1},
		{`import "github.com/pion/stun/v2"; var _, _ = stun.DialURI(nil, nil)`, 1},
		{`import s "github.com/pion/stun/v2"; var _, _ = s.Dial("udp", "")`, 1},
		{`import "github.com/pion/stun/v2"; var _ = stun.New()`, 0},
		{`import "net"; var _, _ = net.Dial("udp", "")`, 0},
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n"+c.source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := dtlsUses(file); len(got) != c.faults {
			t.Errorf("%s: found %q, want %d", c.source, got, c.faults)
		}
	}
}

// dtlsUses names what in a file leads into pion/dtls.
func dtlsUses(file *ast.File) []string {
	var faults []string
	stunName := ""
	for _, spec := range file.Imports {
		target := importPath(spec)
		switch {
		case strings.HasPrefix(target, "github.com/pion/dtls"):
			faults = append(faults, "imports "+target)
		case strings.HasPrefix(target, "github.com/pion/stun"):
			stunName = "stun"
			if spec.Name != nil {
				stunName = spec.Name.Name
			}
		}
	}
	if stunName == "." {
		return append(faults, "imports stun without its name")
	}
	ast.Inspect(file, func(node ast.Node) bool {
		call, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		of, ok := call.X.(*ast.Ident)
		if ok && stunName != "" && of.Name == stunName && strings.HasPrefix(call.Sel.Name, "Dial") {
			faults = append(faults, fmt.Sprintf("uses %s.%s", of.Name, call.Sel.Name))
		}
		return true
	})
	return faults
}

// moduleFiles parses every Go file of the module, by its slash-separated path
// from the module's root.
func moduleFiles(t *testing.T) map[string]*ast.File {
	t.Helper()
	root := moduleRoot(t)
	files := map[string]*ast.File{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() && name != root && (base == "testdata" || base == "dist" || strings.HasPrefix(base, ".")) {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(base) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		files[filepath.ToSlash(rel)] = file
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func importPath(spec *ast.ImportSpec) string {
	return strings.Trim(spec.Path.Value, "`\"")
}

package web

import (
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// loaded is what the server would serve.
func loaded(t *testing.T) *assets {
	t.Helper()
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestEveryFileHasAType(t *testing.T) {
	for name, f := range loaded(t).files {
		if f.contentType == "" {
			t.Errorf("%s: no content type", name)
		}
	}
}

// What the content policy would block is not there.
func TestPagesNameNothingInlineOrForeign(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		"an inline script":   regexp.MustCompile(`<script[^>]*>[^<]`),
		"a script of no src": regexp.MustCompile(`<script(?:\s+type="module")?>`),
		"an inline style":    regexp.MustCompile(`<style|\sstyle=`),
		"an event handler":   regexp.MustCompile(`\son[a-z]+=`),
		"another host":       regexp.MustCompile(`(?:src|href|action)="(?:https?:)?//`),
		"a script address":   regexp.MustCompile(`javascript:`),
	}
	for path, page := range loaded(t).pages {
		for what, pattern := range forbidden {
			if found := pattern.Find(page.body); found != nil {
				t.Errorf("%s has %s: %s", path, what, found)
			}
		}
	}
	for name, f := range loaded(t).files {
		if strings.HasSuffix(name, ".js") && regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function`).Match(f.body) {
			t.Errorf("%s makes markup or code of text", name)
		}
		if strings.HasSuffix(name, ".css") && regexp.MustCompile(`url\(|@import`).Match(f.body) {
			t.Errorf("%s loads something", name)
		}
	}
}

var quotedFile = regexp.MustCompile(`(?:src|href)="(?:\.\./)*assets/[0-9a-f]{12}/([^"]+)"`)

var imported = regexp.MustCompile(`from '\./([^']+)'`)

func TestPagesFindTheirFiles(t *testing.T) {
	a := loaded(t)
	for path, page := range a.pages {
		found := quotedFile.FindAllSubmatch(page.body, -1)
		if len(found) < 3 {
			t.Errorf("%s names %d files", path, len(found))
		}
		for _, f := range found {
			if _, ok := a.files[string(f[1])]; !ok {
				t.Errorf("%s names %s, which is not there", path, f[1])
			}
		}
	}
	used := map[string]bool{}
	for name, f := range a.files {
		for _, m := range imported.FindAllSubmatch(f.body, -1) {
			used[string(m[1])] = true
			if _, ok := a.files[string(m[1])]; !ok {
				t.Errorf("%s imports %s, which is not there", name, m[1])
			}
		}
	}
	for name := range a.files {
		if strings.HasSuffix(name, ".js") && !strings.HasPrefix(name, "page-") && !used[name] {
			t.Errorf("nothing imports %s", name)
		}
	}
}

func TestPagesHaveTheirElements(t *testing.T) {
	a := loaded(t)
	for name, ids := range map[string][]string{
		"/1cs1cs": {"local_H", "remote_H", "call_H"},
		"/1c1s":   {"local_H", "remote_H", "send_H", "watch_H"},
		"/nc1s":   {"local_H", "remote_H", "send_H", "watch_H"},
		roomPage:  {"local", "mute", "camera", "screen", "leave", "copy"},
		"/":       {"make", "room", "user", "password", "create", "enter", "copy"},
		openHome:  {"make", "room", "user", "password", "create", "enter", "copy"},
	} {
		for _, id := range ids {
			if n := strings.Count(string(a.pages[name].body), `id="`+id+`"`); n != 1 {
				t.Errorf("%s has %s %d times", name, id, n)
			}
		}
		if slices.Contains(ids, "make") {
			continue // the landing page has no View, whose file it uses
		}
		for _, id := range elementsOfScripts(a, a.pages[name]) {
			if strings.HasSuffix(id, "_H") || id == "choice" {
				continue // of some call pages only
			}
			if !strings.Contains(string(a.pages[name].body), `id="`+id+`"`) {
				t.Errorf("%s lacks %s, which its scripts look for", name, id)
			}
		}
	}
}

// elementsOfScripts are the ids that the scripts of page look for.
func elementsOfScripts(a *assets, page file) []string {
	var ids []string
	for _, script := range scriptsOf(a, page) {
		for _, m := range regexp.MustCompile(`element\('([^']+)'\)`).FindAllSubmatch(a.files[script].body, -1) {
			ids = append(ids, string(m[1]))
		}
	}
	return ids
}

// scriptsOf are the scripts that page loads, and those that they import.
func scriptsOf(a *assets, page file) []string {
	var found []string
	for _, m := range quotedFile.FindAllSubmatch(page.body, -1) {
		if strings.HasSuffix(string(m[1]), ".js") {
			found = append(found, string(m[1]))
		}
	}
	for i := 0; i < len(found); i++ {
		for _, m := range imported.FindAllSubmatch(a.files[found[i]].body, -1) {
			if !slices.Contains(found, string(m[1])) {
				found = append(found, string(m[1]))
			}
		}
	}
	return found
}

// language reads one of the two tables in strings.js.
func language(t *testing.T, name string) map[string]string {
	t.Helper()
	_, table, ok := strings.Cut(string(loaded(t).files["strings.js"].body), "const "+name+" = {\n")
	table, _, closed := strings.Cut(table, "\n};")
	if !ok || !closed {
		t.Fatalf("strings.js has no %s", name)
	}
	entry := regexp.MustCompile(`^  '([^']+)': '([^']+)',$`)
	found := map[string]string{}
	for line := range strings.Lines(table) {
		if line = strings.TrimRight(line, "\n"); line == "" {
			continue
		}
		m := entry.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("%s: not an entry: %s", name, line)
			continue
		}
		if _, twice := found[m[1]]; twice {
			t.Errorf("%s: %s is there twice", name, m[1])
		}
		found[m[1]] = m[2]
	}
	return found
}

func TestBothLanguagesSayEverything(t *testing.T) {
	en, zh := language(t, "en"), language(t, "zh")
	if len(en) < 50 {
		t.Fatalf("%d sentences in English", len(en))
	}
	blank := regexp.MustCompile(`\{\w+\}`)
	for key, sentence := range en {
		translated, ok := zh[key]
		if !ok {
			t.Errorf("%s is missing in Chinese", key)
		}
		if !slices.Equal(sorted(blank.FindAllString(sentence, -1)), sorted(blank.FindAllString(translated, -1))) {
			t.Errorf("%s has other blanks in Chinese: %q, %q", key, sentence, translated)
		}
	}
	for key := range zh {
		if _, ok := en[key]; !ok {
			t.Errorf("%s is missing in English", key)
		}
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// Every sentence that a page or a script names is there, and none is idle.
func TestSentencesAreUsed(t *testing.T) {
	a := loaded(t)
	en := language(t, "en")
	used := map[string]string{} // key: by whom
	for path, page := range a.pages {
		for _, m := range regexp.MustCompile(`data-(?:t|t-label|t-hint|title)="([^"]+)"`).FindAllSubmatch(page.body, -1) {
			used[string(m[1])] = path
		}
	}
	notFound, err := fs.ReadFile(embedded, "pages/404.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`data-(?:t|title)="([^"]+)"`).FindAllSubmatch(notFound, -1) {
		used[string(m[1])] = "404"
	}
	groups := regexp.MustCompile(`'((?:status|problem|socket|login|share|path|room|make)\.[a-z.]+)'`)
	for name, f := range a.files {
		if path.Ext(name) != ".js" || name == "strings.js" {
			continue
		}
		for _, m := range groups.FindAllSubmatch(f.body, -1) {
			used[string(m[1])] = name
		}
		for _, m := range regexp.MustCompile("label: '([a-z.]+)'").FindAllSubmatch(f.body, -1) {
			used[string(m[1])] = name
		}
		for _, m := range regexp.MustCompile("`([a-z.]+)\\$\\{(?:this\\.#)?role\\}`|`([a-z.]+)\\$\\{role\\}`").FindAllSubmatch(f.body, -1) {
			for _, role := range []string{"both", "send", "watch"} {
				used[string(m[1])+role] = name
			}
		}
	}
	delete(used, "status.waiting.both") // words.js has others for it
	for key, by := range used {
		if _, ok := en[key]; !ok {
			t.Errorf("%s names %s, which nobody says", by, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(en)) {
		if used[key] == "" {
			t.Errorf("nothing names %s", key)
		}
	}
}

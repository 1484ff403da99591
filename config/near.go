package config

import "strings"

// nearest is the word of the list that is most like what was written, or empty
// where none is. Two faults are forgiven, in short words one: an inserted, a
// left-out or another letter, or two that changed places.
func nearest(written string, words []string) string {
	const longest = 64
	if len(written) > longest {
		return ""
	}
	plain := func(s string) string {
		return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
	}
	best, found := 3, ""
	for _, word := range words {
		if plain(word) == plain(written) {
			return word
		}
		allowed := 2
		if len(word) < 5 {
			allowed = 1
		}
		if d := distance(plain(written), plain(word)); d <= allowed && d < best {
			best, found = d, word
		}
	}
	return found
}

// distance is the number of single faults that lead from a to b (optimal string
// alignment).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}

// orList is "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

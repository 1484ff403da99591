package signaling

import (
	"net/http"
	"slices"
)

// origins are those that a browser may connect from, as browsers send them: the
// configuration has brought them into that form. "*" is any.
type origins []string

// allow says whether a request may come in by its Origin header (RFC 6454 7).
// Without one it is not a browser, which no origin could hold back anyway.
func (o origins) allow(h http.Header) bool {
	values := h["Origin"]
	if len(values) == 0 || slices.Contains(o, "*") {
		return true
	}
	return len(values) == 1 && slices.Contains(o, values[0])
}

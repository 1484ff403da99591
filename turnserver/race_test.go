//go:build race

package turnserver

// mallocsAllowed: under the race detector a sync.Pool forgets on purpose.
const mallocsAllowed = 0.9

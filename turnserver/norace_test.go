//go:build !race

package turnserver

// mallocsAllowed is how many allocations a packet may cost, for what else the
// process does meanwhile.
const mallocsAllowed = 0.05

//go:build !mutate

package turnserver

// Every rule is in force. A build with the tag mutate can leave one out, so that
// the conformance test sees which of its rows fails then: rules_mutate.go.

// off says whether a test has left out the check of that name. The compiler
// takes it, and the name, out.
func off(string) bool { return false }

// rulesInForce are all of them.
func rulesInForce() rulebook { return allRules }

// noPermission is what flows have for a peer that has none.
func noPermission() *permission { return nil }

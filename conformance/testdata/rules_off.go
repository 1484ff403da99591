package turnserver

import (
	"fmt"
	"math"
	"os"
	"slices"
)

// A box for a test of the tests is built with this file laid over package
// turnserver, and calls of it put into its sources: mutable_test.go.
//
// TURN_RULE_OFF leaves out the rule of that name, "method: name" for one of the rulebook, else one of checks. A name
// that there is not lists all of them on stdout, one a line, and ends the process.

var ruleOff = os.Getenv("TURN_RULE_OFF")

// checks are those outside of the rulebook that can be left out.
var checks = []string{
	"magic cookie", "message length", "attributes whole", "lengths of values", "FINGERPRINT right",
	"nothing after MESSAGE-INTEGRITY", "first of duplicates", "requests alone", "answers to strangers",
	"answers signed", "FINGERPRINT answered", "nonces of clients", "permissions", "ChannelData whole",
	"indications sound", "frames of strangers", "quota of a user", "quota of the box", "address asked",
	"draining", "peer policy",
	"end of a channel", "end of a permission: ChannelData", "end of a permission: Send", "end of a permission: Data",
	"end of a nonce", "end of a token", "end of a session", "rest of a number",
}

func off(name string) bool {
	if !slices.Contains(checks, name) {
		panic("not in the list of checks: " + name)
	}
	return name == ruleOff
}

func rulesInForce() rulebook {
	found := ruleOff == "" || slices.Contains(checks, ruleOff)
	var book rulebook
	for method, all := range allRules {
		for _, r := range all {
			if ruleName(method, r) == ruleOff {
				found = true
			} else {
				book[method] = append(book[method], r)
			}
		}
	}
	if !found {
		listRules()
		os.Exit(3)
	}
	return book
}

func ruleName(method int, r rule) string { return methodNames[method] + ": " + r.name }

func listRules() {
	for method, all := range allRules {
		for _, r := range all {
			fmt.Println(ruleName(method, r))
		}
	}
	for _, name := range checks {
		fmt.Println(name)
	}
}

// noPermission is one for everybody where permissions are off.
func noPermission() *permission {
	if !off("permissions") {
		return nil
	}
	p := new(permission)
	p.expires.set(math.MaxInt64)
	return p
}

package turnserver

import (
	"slices"
)

// rule is one thing that the RFCs ask of a request. check refuses it or lets it
// pass, and takes down what it has read for the rules after it.
type rule struct {
	name    string
	section string // RFC and section
	check   func(*request) *refusal
}

// rules are asked in their order: the first that refuses is the answer.
type rules []rule

func (rs rules) apply(r *request) *refusal {
	for _, rule := range rs {
		if refused := rule.check(r); refused != nil {
			r.guard.explain(r, rule, refused)
			return refused
		}
	}
	return nil
}

// rulebook are the rules of each method.
type rulebook [methods]rules

// credentialRules are the long-term credential mechanism, in front of every
// method but Binding.
var credentialRules = rules{
	{"integrity present", "8489 9.2.4", checkIntegrityPresent},
	{"credentials complete", "8489 9.2.4", checkComplete},
	{"nonce fresh", "8489 9.2.4", checkNonce},
	{"guesses bounded", "8489 9.2.4", checkGuesses},
	{"password right", "8489 9.2.4", checkPassword},
}

// sessionRules are those of every method of a session.
var sessionRules = slices.Concat(credentialRules, rules{
	{"same user", "8656 5", checkSameUser},
	{"attributes known", "8489 6.3.1", checkKnown},
	{"allocation there", "8656 5", checkSession},
})

var allRules = rulebook{
	methodBinding: {
		{"attributes known", "8489 6.3.1", checkKnown},
	},
	methodAllocate: slices.Concat(credentialRules, rules{
		{"attributes known", "8489 6.3.1", checkKnown},
		{"5-tuple free", "8656 7.2", checkFree},
		{"credential in time", "REST 2.2", checkExpiry},
		{"UDP requested", "8656 7.2", checkTransport},
		{"DONT-FRAGMENT", "8656 7.2", checkDontFragment},
		{"RESERVATION-TOKEN", "8656 7.2", checkReservation},
		{"address family", "8656 7.2", checkFamily},
		{"EVEN-PORT", "8656 7.2", checkEvenPort},
		{"LIFETIME", "8656 7.2", checkAllocateLifetime},
	}),
	methodRefresh: slices.Concat(sessionRules, rules{
		{"same family", "8656 8.2", checkRefreshFamily},
		{"LIFETIME", "8656 8.2", checkRefreshLifetime},
	}),
	methodCreatePermission: slices.Concat(sessionRules, rules{
		{"peers sound", "8656 10.2", checkPeers},
		{"peer family", "8656 10.2", checkPeerFamily},
		{"peers permitted", "8656 10.2", checkPolicy},
		{"room for them", "8656 10.2", checkRoom},
	}),
	methodChannelBind: slices.Concat(sessionRules, rules{
		{"number and peer sound", "8656 12.2", checkChannel},
		{"peer family", "8656 12.2", checkPeerFamily},
		{"not bound otherwise", "8656 12.2", checkConflict},
		{"peer permitted", "8656 12.2", checkPolicy},
		{"own relay live", "8656 12.2", checkOwnRelay},
		{"room for it", "8656 12.2", checkRoom},
	}),
}

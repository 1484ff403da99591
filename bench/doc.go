// Package bench measures icebox beside other servers, in one run and in turn, so
// that what else the machine does meets all of them alike: "make bench-turn" the
// sessions of TURN, "make bench-relay" the packets that it relays.
// docs/PERFORMANCE.md says what they measure and what came out. They never fail
// for slowness: they fail where a server does not answer what it should, or does
// not deliver what it was given. A short form of the second is among the tests.
package bench

// Package bench measures icebox beside other servers, in one run and in turn, so
// that what else the machine does meets all of them alike. It holds benchmarks
// only; "make bench-turn" runs them, docs/PERFORMANCE.md says what they measure
// and what came out. They never fail for slowness: they fail where a server does
// not answer what it should.
package bench

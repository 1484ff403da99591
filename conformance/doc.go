// Package conformance holds no code of the box, only tests of it: what a STUN
// and TURN server has to do on the wire, asked of the real binary by a client
// that shares nothing with it.
//
// Each test starts boxes in a host of a lab of network namespaces, between
// clients and peers that have hosts of their own, since a box never relays to
// itself. TestConformance has a row for each rule of RFC 8489 and 8656 and runs
// it over each transport; at its end it prints rule, section, transport and
// verdict (go test -v). What only a clock can show (a permission ends after 300
// seconds) is marked in the table and tested with a false clock in package
// turnserver. TestRulesOff builds a box that can leave each rule and check out
// (mutable_test.go), and wants the rows about it to fail then. The other tests
// are attacks: what they leave behind is asked of the process itself.
//
// The client writes bytes, not messages that are right by construction: what it
// sends is mostly wrong on purpose. CONFORMANCE_BOX names a binary to be tested
// in place of the one built from this tree, and CONFORMANCE_PATIENCE says how
// long an answer that is due may take (5s).
package conformance

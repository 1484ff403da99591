// Package interop holds no code of the box, only tests of it: clients that others
// have written relay through the real program, each from a host of its own in a
// lab of network namespaces. They are coturn's turnutils_uclient, pion's TURN
// client, aioice and Chromium, over UDP, TCP and TLS. Who talks to the box in
// their own way finds what a suite of our own, which knows what we meant, does
// not.
//
// scripts/deps.sh brings the clients. A test skips by name where one is missing,
// and fails where the environment has CI=true.
package interop

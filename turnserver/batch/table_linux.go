package batch

import "net/netip"

// Tuple is a client at a listener: his address, and the one that he asked.
type Tuple struct{ Client, Local netip.AddrPort }

// key is a Tuple as a worker looks it up: addresses in 16 bytes, and of the
// local end, which is one of the listener's, the address alone.
type key struct {
	client, local [16]byte
	port          uint16
	listener      uint16
}

// keyOf is the key of a client at a listener. Where that has one address alone,
// datagrams do not say which they came to, and keys don't either.
func keyOf(t Tuple, listener int, wildcard bool) key {
	k := key{client: t.Client.Addr().As16(), port: t.Client.Port(), listener: uint16(listener)}
	if wildcard {
		k.local = t.Local.Addr().As16()
	}
	return k
}

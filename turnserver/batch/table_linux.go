package batch

import "net/netip"

// Tuple is a client at a listener: his address, and the one that he asked.
type Tuple struct{ Client, Local netip.AddrPort }

// key is a Tuple as a worker looks it up. Of the local end, which is one of the
// listener's, there is the address alone.
type key struct {
	client, local [16]byte
	ends
}

// key4 is the same of IPv4: small, since each packet looks its own up.
type key4 struct {
	client, local [4]byte
	ends
}

// ends are the numbers of a key.
type ends struct{ port, listener uint16 }

// flows are what has been entered, by sender.
type flows struct {
	ipv4 map[key4]any
	ipv6 map[key]any
}

func newFlows() flows { return flows{make(map[key4]any), make(map[key]any)} }

// keyOf is the key of a client at a listener. Where that has one address alone,
// datagrams do not say which they came to, and keys don't either.
func keyOf(t Tuple, listener int, wildcard bool) key {
	k := key{client: t.Client.Addr().As16(), ends: ends{t.Client.Port(), uint16(listener)}}
	if wildcard {
		k.local = t.Local.Addr().As16()
	}
	return k
}

// v4 is the short form of a key, and whether it has one.
func (k *key) v4() (key4, bool) {
	short := key4{client: [4]byte(k.client[12:]), local: [4]byte(k.local[12:]), ends: k.ends}
	return short, [12]byte(k.client[:]) == mappedPrefix
}

func (f *flows) get(k *key) any {
	if short, ok := k.v4(); ok {
		return f.ipv4[short]
	}
	return f.ipv6[*k]
}

func (f *flows) put(k key, flow any) {
	if short, ok := k.v4(); ok {
		f.ipv4[short] = flow
		return
	}
	f.ipv6[k] = flow
}

func (f *flows) remove(k key, flow any) {
	if f.get(&k) != flow {
		return
	}
	if short, ok := k.v4(); ok {
		delete(f.ipv4, short)
		return
	}
	delete(f.ipv6, k)
}

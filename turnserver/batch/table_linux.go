package batch

import (
	"encoding/binary"
	"net/netip"
)

// Tuple is a client at a listener: his address, and the one that he asked. Where that is
// a link-local one of IPv6, its zone is the number of the interface, which tells the same
// addresses of two links apart.
type Tuple struct{ Client, Local netip.AddrPort }

// sender is a Tuple as sockets tell it. Where the listener has one address alone,
// datagrams do not say which they came to, and local is empty.
type sender struct {
	client   *sockaddr
	local    [16]byte
	listener uint16
}

func senderOf(t Tuple, listener int, wildcard bool) sender {
	s := sender{client: new(sockaddr), listener: uint16(listener)}
	s.client.set(t.Client, t.Client.Addr().Is6())
	if wildcard {
		s.local = scoped(t.Local.Addr().As16(), ZoneIndex(t.Local.Addr()))
	}
	return s
}

// key4 and key6 are what a sender is looked up by. That of IPv4 is small, and made
// and hashed as whole words, since each packet looks its own up.
type (
	key4 struct{ addresses, ends uint64 }
	key6 struct {
		client, local [16]byte
		ends          uint64
	}
)

// short is the key of an IPv4 sender; ok says whether he is one.
func (s *sender) short() (k key4, ok bool) {
	client, ok := s.client.v4()
	local := binary.NativeEndian.Uint32(s.local[12:])
	return key4{uint64(client)<<32 | uint64(local), s.ends()}, ok
}

func (s *sender) long() key6 { return key6{s.client.raw.Addr, s.local, s.ends()} }

// ends are the numbers of a key.
func (s *sender) ends() uint64 { return uint64(s.client.raw.Port)<<16 | uint64(s.listener) }

// flows are what has been entered, by sender.
type flows struct {
	ipv4 map[key4]any
	ipv6 map[key6]any
}

func newFlows() flows { return flows{make(map[key4]any), make(map[key6]any)} }

func (f *flows) get(s *sender) any {
	if k, ok := s.short(); ok {
		return f.ipv4[k]
	}
	return f.ipv6[s.long()]
}

func (f *flows) put(s *sender, flow any) {
	if k, ok := s.short(); ok {
		f.ipv4[k] = flow
		return
	}
	f.ipv6[s.long()] = flow
}

func (f *flows) remove(s *sender, flow any) {
	if f.get(s) != flow {
		return
	}
	if k, ok := s.short(); ok {
		delete(f.ipv4, k)
		return
	}
	delete(f.ipv6, s.long())
}

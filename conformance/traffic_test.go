//go:build linux

package conformance

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

// peer is a UDP socket in a host of its own, which clients reach through the box.
type peer struct {
	t       testing.TB
	conn    *net.UDPConn
	addr    netip.AddrPort
	packets chan packet
}

type packet struct {
	from netip.AddrPort
	data []byte
}

func newPeer(t testing.TB, conn *net.UDPConn) *peer {
	conn.SetReadBuffer(1 << 20)
	p := &peer{t: t, conn: conn, addr: addrPort(conn.LocalAddr()), packets: make(chan packet, 1024)}
	go p.read()
	t.Cleanup(func() { conn.Close() })
	return p
}

func (p *peer) read() {
	buf := make([]byte, 65536)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		select {
		case p.packets <- packet{from, append([]byte(nil), buf[:n]...)}:
		default: // a test that lets so many pile up does not count them
		}
	}
}

// sendTo sends one datagram to a relayed address.
func (p *peer) sendTo(relay netip.AddrPort, b []byte) {
	p.t.Helper()
	if _, err := p.conn.WriteToUDPAddrPort(b, relay); err != nil {
		p.t.Fatalf("peer %v sends %d bytes to %v: %v", p.addr, len(b), relay, err)
	}
}

// wantPacket: just these bytes arrive, from the relayed address.
func (p *peer) wantPacket(t testing.TB, relay netip.AddrPort, want []byte) {
	t.Helper()
	select {
	case got := <-p.packets:
		if !bytes.Equal(got.data, want) || got.from != relay {
			t.Errorf("peer got %d bytes %.32q from %v, want %d bytes %.32q from %v",
				len(got.data), got.data, got.from, len(want), want, relay)
		}
	case <-time.After(patience):
		t.Errorf("peer %v got nothing, want %d bytes from %v", p.addr, len(want), relay)
	}
}

// wantNothing: the peer's socket stays quiet.
func (p *peer) wantNothing(t testing.TB) {
	t.Helper()
	select {
	case got := <-p.packets:
		t.Errorf("peer %v got %d bytes %.32q from %v, want nothing", p.addr, len(got.data), got.data, got.from)
	case <-time.After(quiet):
	}
}

// wantPacketsUpTo takes whatever comes, none of it longer than n bytes.
func (p *peer) wantPacketsUpTo(t testing.TB, n int) {
	t.Helper()
	for {
		select {
		case got := <-p.packets:
			if len(got.data) > n {
				t.Errorf("%d bytes came, in fragments", len(got.data))
			}
		case <-time.After(quiet):
			return
		}
	}
}

// mark makes bytes that occur nowhere else.
func mark(what string) []byte { return []byte(fmt.Sprintf("%s %s", what, rand.Text())) }

// noise makes n bytes that can't be taken for others.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// sendIndication has a packet relayed without a channel (RFC 8656 §11.1).
func (c *client) sendIndication(to netip.AddrPort, b []byte, parts ...part) {
	c.t.Helper()
	c.write(build(send, indication, append([]part{peerAddress(to), payload(b)}, parts...)...).raw)
}

// wantData: a Data indication with just these bytes, from that peer.
func (c *client) wantData(from netip.AddrPort, want []byte) {
	c.t.Helper()
	frame := c.wait(patience, isData)
	if frame == nil {
		c.t.Errorf("no Data indication, want %d bytes of %v", len(want), from)
		return
	}
	a, err := parse(frame)
	if err != nil {
		c.t.Errorf("malformed Data indication: %v", err)
		return
	}
	if got := a.value(attrData); a.address(attrPeerAddress) != from || !bytes.Equal(got, want) || !a.has(attrData) {
		c.t.Errorf("Data indication with %d bytes %.32q of %v, want %d bytes %.32q of %v",
			len(got), got, a.address(attrPeerAddress), len(want), want, from)
	}
}

func isData(b []byte) bool {
	return len(b) >= headerSize && binary.BigEndian.Uint16(b) == messageType(data, indication)
}

// wantChannelData: ChannelData with just these bytes, padded on a stream.
func (c *client) wantChannelData(channel uint16, want []byte) {
	c.t.Helper()
	frame := c.wait(patience, func(b []byte) bool { return len(b) >= 4 && b[0]&0xC0 == 0x40 })
	if frame == nil {
		c.t.Errorf("no ChannelData, want %d bytes on %#x", len(want), channel)
		return
	}
	n, number := int(binary.BigEndian.Uint16(frame[2:])), binary.BigEndian.Uint16(frame)
	if number != channel || 4+n > len(frame) || !bytes.Equal(frame[4:4+n], want) {
		c.t.Errorf("ChannelData on %#x with %d bytes, want %#x with %d", number, n, channel, len(want))
	}
}

// wantNoData: neither a Data indication nor ChannelData comes.
func (c *client) wantNoData() {
	c.t.Helper()
	if b := c.wait(quiet, func(b []byte) bool { return isData(b) || b[0]&0xC0 == 0x40 }); b != nil {
		c.t.Errorf("the client got %x, want nothing", b[:min(len(b), 64)])
	}
}

// wantRelayed: traffic goes both ways between the client and a permitted peer.
func (c *client) wantRelayed(relay netip.AddrPort, p *peer) {
	c.t.Helper()
	up, down := mark("up"), mark("down")
	c.sendIndication(p.addr, up)
	p.wantPacket(c.t, relay, up)
	p.sendTo(relay, down)
	c.wantData(p.addr, down)
}

// wantCutOff: traffic goes neither way.
func (c *client) wantCutOff(relay netip.AddrPort, p *peer) {
	c.t.Helper()
	c.sendIndication(p.addr, mark("up"))
	p.conn.WriteToUDPAddrPort(mark("down"), relay) // the port may be closed by now
	p.wantNothing(c.t)
	c.wantNoData()
}

// wantBound: traffic goes both ways on a channel.
func (c *client) wantBound(relay netip.AddrPort, p *peer, channel uint16) {
	c.t.Helper()
	up, down := mark("up"), mark("down")
	c.write(channelData(channel, up, true))
	p.wantPacket(c.t, relay, up)
	p.sendTo(relay, down)
	c.wantChannelData(channel, down)
}

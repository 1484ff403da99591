package turnserver

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestTrainsFromOutside: trains that a client or a peer sends as one arrive as the
// datagrams that they are, in ChannelData and in Data indications.
func TestTrainsFromOutside(t *testing.T) {
	for _, bound := range []bool{true, false} {
		p := newPipeline(t)
		if !bound {
			perm := &permission{addr: netip.MustParseAddr("127.0.0.1")}
			perm.expires.set(1 << 60)
			p.session.flows.Store(noFlows.withPermission(perm))
		}
		const count, size, last = 16, 1201, 699
		var up, down, payloads [][]byte
		for i := range count {
			payload := bytes.Repeat([]byte{byte(i), 0xA5, 0x5A}, size)[:size]
			if i == count-1 {
				payload = payload[:last]
			}
			head := binary.BigEndian.AppendUint16([]byte{pipelineChannel >> 8, pipelineChannel & 0xFF}, uint16(len(payload)))
			payloads = append(payloads, payload)
			down = append(down, payload)
			up = append(up, append(head, payload...))
		}
		if bound {
			sendTrain(t, p.client, nil, up)
			for i, want := range payloads {
				if got := next(t, p.peer); !bytes.Equal(got, want) {
					t.Fatalf("datagram %d to the peer: %d bytes, want %d, or others", i, len(got), len(want))
				}
			}
		}
		sendTrain(t, p.peer, net.UDPAddrFromAddrPort(p.relay), down)
		for i, want := range payloads {
			got := next(t, p.client)
			if bound {
				want = up[i]
			} else {
				var m message
				if err := m.parse(got); err != nil {
					t.Fatalf("datagram %d to the client: %v", i, err)
				}
				got = m.value(attrData)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("datagram %d to the client, bound %t: %d bytes, want %d, or others", i, bound, len(got), len(want))
			}
		}
	}
}

// sendTrain sends datagrams, all as long as the first but the last, as one.
func sendTrain(t *testing.T, from *net.UDPConn, to *net.UDPAddr, datagrams [][]byte) {
	t.Helper()
	control := make([]byte, unix.CmsgSpace(2))
	putHeader(control, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2)
	binary.NativeEndian.PutUint16(control[unix.CmsgLen(0):], uint16(len(datagrams[0])))
	if _, _, err := from.WriteMsgUDP(bytes.Join(datagrams, nil), control, to); err != nil {
		t.Fatal(err)
	}
}

func next(t *testing.T, conn *net.UDPConn) []byte {
	t.Helper()
	buf := make([]byte, 4096)
	conn.SetReadDeadline(time.Now().Add(patience))
	n, _, err := conn.ReadFromUDPAddrPort(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

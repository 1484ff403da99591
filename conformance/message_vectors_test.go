//go:build linux

package conformance

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"testing"
)

// What this suite writes is compared with the samples of RFC 5769, so that a
// mistake shared by writing and reading can't hide.

func TestRequestVector(t *testing.T) {
	want := unhex(t, `000100582112a442b7e7a701bc34d686fa87dfae
		802200105354554e207465737420636c69656e74 002400046e0001ff
		80290008932ff9b151263b36 000600096576746a3a68367659202020
		000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004e57a3bcf`)
	id := transactionID(want[8:20])
	m := build(binding, request, transaction(id), text(attrSoftware, "STUN test client"),
		attr(0x0024, 0x6e, 0x00, 0x01, 0xff), attr(0x8029, want[52:60]...),
		func(m *message) { // the sample pads USERNAME with spaces
			m.attribute(attrUsername, []byte("evtj:h6vY"))
			copy(m.raw[len(m.raw)-3:], "   ")
		},
		integrity([]byte("VOkJxbRl1RmTxUk/WvJxBt")), fingerprint())
	if !bytes.Equal(m.raw, want) {
		t.Errorf("wrote\n%x, RFC 5769 §2.1 has\n%x", m.raw, want)
	}
}

func TestLongTermVector(t *testing.T) {
	want := unhex(t, `000100602112a44278ad3433c6ad72c029da412e
		00060012e3839ee38388e383aae38383e382afe382b90000
		0015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b
		6578616d706c652e6f726700 00080014f67024656dd64a3e02b8e0712e85c9a28ca89666`)
	key := longTermKey("マトリックス", "example.org", "TheMatrIX")
	m := build(binding, request, transaction(transactionID(want[8:20])), text(attrUsername, "マトリックス"),
		text(attrNonce, "f//499k954d6OL34oL9FSTvy64sA"), text(attrRealm, "example.org"), integrity(key))
	if !bytes.Equal(m.raw, want) {
		t.Errorf("wrote\n%x, RFC 5769 §2.4 has\n%x", m.raw, want)
	}
}

func TestResponseVector(t *testing.T) {
	raw := unhex(t, `0101003c2112a442b7e7a701bc34d686fa87dfae
		8022000b7465737420766563746f7220 002000080001a147e112a643
		000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004c07d4c96`)
	a, err := parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if got := a.address(attrXORMappedAddress); got != netip.MustParseAddrPort("192.0.2.1:32853") {
		t.Errorf("address %v", got)
	}
	if err := a.checkIntegrity([]byte("VOkJxbRl1RmTxUk/WvJxBt")); err != nil {
		t.Error(err)
	}
	if err := a.checkFingerprint(); err != nil {
		t.Error(err)
	}
	if err := a.checkIntegrity([]byte("another")); err == nil {
		t.Error("a wrong key passed")
	}
}

func TestAddressRoundTrip(t *testing.T) {
	for _, s := range []string{"203.0.113.7:9", "[2001:db8::7]:65535"} {
		want := netip.MustParseAddrPort(s)
		a, err := parse(build(data, indication, peerAddress(want)).raw)
		if err != nil || a.address(attrPeerAddress) != want || a.method != data || a.class != indication {
			t.Errorf("%v came back as %v, %v", want, a, err)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(string(bytes.Join(bytes.Fields([]byte(s)), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

package signaling

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// topLevel reads the top level of an object with the decoder of encoding/json, key
// by key: slow, and nothing of ours.
func topLevel(text []byte) (fields [][2]string, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, false
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, false
		}
		fields = append(fields, [2]string{key.(string), string(value)})
	}
	return fields, json.Valid(text)
}

// verdict is what openEnvelope should say, from topLevel.
func verdict(text []byte) (code, to string, direct bool) {
	fields, ok := topLevel(text)
	if !ok {
		return codeBadMessage, "", false
	}
	seen, typed := map[string]bool{}, false
	for _, f := range fields {
		var s *string
		if seen[f[0]] {
			return codeReservedField, "", false
		}
		seen[f[0]] = true
		isString := strings.HasPrefix(f[1], `"`) && json.Unmarshal([]byte(f[1]), &s) == nil
		switch f[0] {
		case "from", "seq":
			return codeReservedField, "", false
		case "type":
			if !isString {
				return codeBadMessage, "", false
			}
			if typed = true; strings.Contains(" welcome peer-joined peer-left ice-servers error ", " "+*s+" ") && *s != "" && !strings.Contains(*s, " ") {
				return codeReservedType, "", false
			}
		case "to":
			if !isString {
				return codeBadMessage, "", false
			}
			to, direct = *s, true
		}
	}
	if !typed {
		return codeBadMessage, "", false
	}
	return "", to, direct
}

// FuzzEnvelope holds openEnvelope to what encoding/json says of a message, and
// what is passed on to being JSON that means the same, but for two fields.
func FuzzEnvelope(f *testing.F) {
	for _, seed := range []string{
		`{"type":"offer","sdp":"v=0\r\n","to":"AAAAAAAAAAAAAAAA"}`,
		` { "type" : "x" , "a" : [ 1 , {"}":"\\\"" } ] } `,
		`{"\u0074ype":"\u0077elcome"}`, `{"type":"x","from":1}`, `{"type":"x","type":"y"}`,
		`{"Type":"x"}`, `{"type":1}`, `{"type":"x","to":null}`, `{}`, `[]`, `"`, `{"a":`, `null`, ``,
		`{"type":"x","a":-1.5e+3,"b":true,"c":null}`, "\ufeff{}", `{"type":"x"}{}`, `{"type":"x","\ud800":1,"\ud801":2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) {
			return // the socket has seen to that
		}
		e, wrong := openEnvelope(text)
		code, to, direct := verdict(text)
		got := ""
		if wrong != nil {
			got = wrong.code
		}
		if got != code || wrong == nil && (e.to != to || e.direct != direct) {
			t.Fatalf("%q: %q to %q (%v), want %q to %q (%v)", text, got, e.to, e.direct, code, to, direct)
		}
		if wrong != nil {
			return
		}
		it := item{relayed("AAAAAAAAAAAAAAAA", e.inside), 7}
		out := append(it.appendHead(nil), it.frame.wire...)
		if len(out) != it.size() {
			t.Fatalf("%q: %d bytes, want %d", text, len(out), it.size())
		}
		fields, ok := topLevel(out[headerSize(it.payload()):])
		before, _ := topLevel(text)
		if !ok || len(fields) != len(before)+2 || fields[0] != [2]string{"seq", "7"} || fields[1] != [2]string{"from", `"AAAAAAAAAAAAAAAA"`} {
			t.Fatalf("%q became %q", text, out)
		}
		for i, f := range before {
			if fields[i+2] != f {
				t.Fatalf("%q became %q", text, out)
			}
		}
	})
}

// TestEnvelopeAllocatesLittle: reading a message costs no memory but for the
// receiver's id, whatever else is in it.
func TestEnvelopeAllocatesLittle(t *testing.T) {
	text := []byte(`{"type":"offer","to":"AAAAAAAAAAAAAAAA","sdp":"` + strings.Repeat(`a=candidate\r\n`, 300) + `","a":[1,2,{"b":null}]}`)
	if n := testing.AllocsPerRun(100, func() { openEnvelope(text) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkEnvelope(b *testing.B) {
	text := []byte(`{"type":"offer","to":"AAAAAAAAAAAAAAAA","sdp":"` + strings.Repeat(`a=candidate\r\n`, 200) + `"}`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		openEnvelope(text)
	}
}

// FuzzInvite: no token that was not made with the secret lets in.
func FuzzInvite(f *testing.F) {
	v := newInviter(testSecret)
	f.Add("")
	f.Add(newInviter("another").make("r", farFuture()))
	f.Add("AQAAAABq")
	f.Fuzz(func(t *testing.T, token string) {
		if no := v.check(token, "r", farFuture()); no != refuseInvalid && no != refuseNoInvite {
			t.Errorf("%q: %v", token, no)
		}
	})
}

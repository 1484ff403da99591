package web

import (
	"cmp"
	"encoding/json"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"icebox/config"
)

func TestICEServers(t *testing.T) {
	udp, tcp, tls := config.Listener{Network: "udp", Address: ":3478"}, config.Listener{Network: "tcp", Address: ":3478"},
		config.Listener{Network: "tls", Address: ":5349"}
	bob := Credentials{"1:user/bob", "p", time.Hour}
	for name, c := range map[string]struct {
		listen   []config.Listener
		real     []net.Addr
		turnPort int
		host     string
		lan      netip.Addr
		cred     Credentials
		trusted  bool
		want     string
	}{
		"both": {listen: []config.Listener{udp, tcp}, host: "home.example", cred: bob,
			want: `{"iceServers":[{"urls":["stun:home.example:3478"]},` +
				`{"urls":["turn:home.example:3478?transport=udp","turn:home.example:3478?transport=tcp"],"username":"1:user/bob","credential":"p"}],"ttl":3600}`},
		"nobody": {listen: []config.Listener{udp, tcp}, host: "home.example",
			want: `{"iceServers":[{"urls":["stun:home.example:3478"]}]}`},
		"IPv6": {listen: []config.Listener{udp}, host: "2001:db8::1", cred: bob,
			want: `{"iceServers":[{"urls":["stun:[2001:db8::1]:3478"]},` +
				`{"urls":["turn:[2001:db8::1]:3478?transport=udp"],"username":"1:user/bob","credential":"p"}],"ttl":3600}`},
		"tcp only": {listen: []config.Listener{tcp}, host: "h", cred: bob,
			want: `{"iceServers":[{"urls":["turn:h:3478?transport=tcp"],"username":"1:user/bob","credential":"p"}],"ttl":3600}`},
		"tcp only, nobody": {listen: []config.Listener{tcp}, host: "h",
			want: `{"iceServers":[]}`},
		"tls only, self-signed": {listen: []config.Listener{tls}, host: "h", cred: bob,
			want: `{"iceServers":[],"ttl":3600}`},
		"forwarded port": {listen: []config.Listener{udp, tcp, {Network: "tcp", Address: ":80"}}, turnPort: 13478, host: "h", cred: bob,
			want: `{"iceServers":[{"urls":["stun:h:13478"]},` +
				`{"urls":["turn:h:13478?transport=udp","turn:h:13478?transport=tcp"],"username":"1:user/bob","credential":"p"}],"ttl":3600}`},
		"another tcp port is not the forwarded one": {listen: []config.Listener{udp, {Network: "tcp", Address: ":80"}}, turnPort: 13478, host: "h", cred: bob,
			want: `{"iceServers":[{"urls":["stun:h:13478"]},` +
				`{"urls":["turn:h:13478?transport=udp","turn:h:80?transport=tcp"],"username":"1:user/bob","credential":"p"}],"ttl":3600}`},
		"forwarded port without udp": {listen: []config.Listener{tcp}, turnPort: 13478, host: "h", cred: bob,
			want: `{"iceServers":[{"urls":["turn:h:13478?transport=tcp"],"username":"1:user/bob","credential":"p"}],"ttl":3600}`},
		"real ports": {listen: []config.Listener{{Network: "udp", Address: ":0"}, {Network: "tcp", Address: ":0"}},
			real: []net.Addr{&net.UDPAddr{Port: 40001}, &net.TCPAddr{Port: 40002}}, host: "h", cred: bob,
			want: `{"iceServers":[{"urls":["stun:h:40001"]},` +
				`{"urls":["turn:h:40001?transport=udp","turn:h:40002?transport=tcp"],"username":"1:user/bob","credential":"p"}],"ttl":3600}`},
		"tls, trusted": {listen: []config.Listener{udp, tls}, host: "h", cred: bob, trusted: true,
			want: `{"iceServers":[{"urls":["stun:h:3478"]},` +
				`{"urls":["turn:h:3478?transport=udp","turns:h:5349?transport=tcp"],"username":"1:user/bob","credential":"p"}],"ttl":3600}`},
		"tls, self-signed": {listen: []config.Listener{udp, tls}, host: "h", cred: bob,
			want: `{"iceServers":[{"urls":["stun:h:3478"]},` +
				`{"urls":["turn:h:3478?transport=udp"],"username":"1:user/bob","credential":"p"}],"ttl":3600}`},
		"reached in the box's own network": {listen: []config.Listener{udp, tcp, tls, {Network: "udp", Address: ":80"}}, turnPort: 13478, host: "h",
			lan: netip.MustParseAddr("192.168.1.20"), cred: bob, trusted: true,
			want: `{"iceServers":[{"urls":["stun:h:13478"]},` +
				`{"urls":["turn:h:13478?transport=udp","turn:h:13478?transport=tcp","turns:h:5349?transport=tcp",` +
				`"turn:192.168.1.20:3478?transport=udp","turn:192.168.1.20:3478?transport=tcp"],"username":"1:user/bob","credential":"p"}],"ttl":3600}`},
		"reached there by IPv6": {listen: []config.Listener{udp}, host: "h", lan: netip.MustParseAddr("fd00::20"), cred: bob,
			want: `{"iceServers":[{"urls":["stun:h:3478"]},` +
				`{"urls":["turn:h:3478?transport=udp","turn:[fd00::20]:3478?transport=udp"],"username":"1:user/bob","credential":"p"}],"ttl":3600}`},
		"reached there by nobody": {listen: []config.Listener{udp, tcp}, host: "h", lan: netip.MustParseAddr("192.168.1.20"),
			want: `{"iceServers":[{"urls":["stun:h:3478"]}]}`},
	} {
		cfg := &config.Config{TURN: config.TURN{Listen: c.listen}, Public: config.Public{TURNPort: c.turnPort}}
		got, err := json.Marshal(ICEServers(cfg, c.real, Hosts{c.host, c.lan}, c.cred, c.trusted))
		if err != nil || string(got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

// TestTLSPort: where a browser is told to find TURN over TLS.
func TestTLSPort(t *testing.T) {
	udp, tls := config.Listener{Network: "udp", Address: ":3478"}, config.Listener{Network: "tls", Address: ":5349"}
	plain := []config.Listener{udp}
	for name, c := range map[string]struct {
		listen           []config.Listener
		real             []net.Addr
		source, url      string
		signaling        string
		untrusted, guest bool
		want             string // "": no turns URL
	}{
		"the signaling port":           {listen: plain, want: "turns:h:3002?transport=tcp"},
		"its own port":                 {listen: plain, signaling: "192.0.2.1:443", want: "turns:h:443?transport=tcp"},
		"public.url with a port":       {listen: plain, url: "https://x.example:8443/call", want: "turns:h:8443?transport=tcp"},
		"public.url without a port":    {listen: plain, url: "https://x.example", want: "turns:h:443?transport=tcp"},
		"public.url of IPv6":           {listen: plain, url: "https://[2001:db8::1]:8443", want: "turns:h:8443?transport=tcp"},
		"http in front":                {listen: plain, url: "http://x.example:8080"},
		"a tls listener":               {listen: []config.Listener{udp, tls}, want: "turns:h:5349?transport=tcp"},
		"a tls listener goes first":    {listen: []config.Listener{tls, udp}, url: "https://x.example", want: "turns:h:5349?transport=tcp"},
		"the port it really has":       {listen: []config.Listener{{Network: "tls", Address: ":0"}}, real: []net.Addr{&net.TCPAddr{Port: 40003}}, want: "turns:h:40003?transport=tcp"},
		"tls.source off":               {listen: plain, source: "off"},
		"tls.source off, a public.url": {listen: plain, source: "off", url: "https://x.example"},
		"untrusted":                    {listen: []config.Listener{udp, tls}, untrusted: true},
		"untrusted, signaling":         {listen: plain, untrusted: true},
		"nobody":                       {listen: plain, guest: true},
		"a port that nobody knows yet": {listen: plain, signaling: "127.0.0.1:0"},
	} {
		cfg := &config.Config{
			TURN:      config.TURN{Listen: c.listen},
			Public:    config.Public{URL: c.url},
			TLS:       config.TLS{Source: cmp.Or(c.source, "files")},
			Signaling: config.Signaling{Listen: cmp.Or(c.signaling, ":3002")},
		}
		cred := Credentials{"1:user/bob", "p", time.Hour}
		if c.guest {
			cred = Credentials{}
		}
		var got []string
		for _, server := range ICEServers(cfg, c.real, Hosts{Public: "h"}, cred, !c.untrusted).Servers {
			for _, u := range server.URLs {
				if strings.HasPrefix(u, "turns:") {
					got = append(got, u)
				}
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestForwardedPort: which port of the box a router forwards public.turn_port to.
func TestForwardedPort(t *testing.T) {
	for name, c := range map[string]struct {
		listen []config.Listener
		real   []net.Addr
		want   int
	}{
		"the first udp listener": {[]config.Listener{{Network: "tcp", Address: ":80"}, {Network: "udp", Address: ":5000"}, {Network: "udp", Address: ":5001"}}, nil, 5000},
		"the port it really has": {[]config.Listener{{Network: "udp", Address: ":0"}}, []net.Addr{&net.UDPAddr{Port: 40001}}, 40001},
		"no udp listener":        {[]config.Listener{{Network: "tcp", Address: ":80"}}, nil, 3478},
		"no listener":            {nil, nil, 3478},
	} {
		if got := ForwardedPort(&config.Config{TURN: config.TURN{Listen: c.listen}}, c.real); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

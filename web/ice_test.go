package web

import (
	"encoding/json"
	"net"
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
		"forwarded port": {listen: []config.Listener{udp, tcp, {Network: "tcp", Address: ":80"}}, turnPort: 13478, host: "h", cred: bob,
			want: `{"iceServers":[{"urls":["stun:h:13478"]},` +
				`{"urls":["turn:h:13478?transport=udp","turn:h:13478?transport=tcp"],"username":"1:user/bob","credential":"p"}],"ttl":3600}`},
		"another tcp port is not the forwarded one": {listen: []config.Listener{udp, {Network: "tcp", Address: ":80"}}, turnPort: 13478, host: "h", cred: bob,
			want: `{"iceServers":[{"urls":["stun:h:13478"]},` +
				`{"urls":["turn:h:13478?transport=udp","turn:h:80?transport=tcp"],"username":"1:user/bob","credential":"p"}],"ttl":3600}`},
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
	} {
		cfg := &config.Config{TURN: config.TURN{Listen: c.listen}, Public: config.Public{TURNPort: c.turnPort}}
		got, err := json.Marshal(ICEServers(cfg, c.real, c.host, c.cred, c.trusted))
		if err != nil || string(got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

package config

import "strings"

func badKeys() []badFile {
	return []badFile{
		{"unknown", "domian: home.example", "f1: domian: unknown key; did you mean domain?"},
		{"unknown below", "turn:\n  relm: x", "f2: turn.relm: unknown key; did you mean realm?"},
		{"swapped letters", "turn:\n  limits: {allocatoins: 5}", "f2: turn.limits.allocatoins: unknown key; did you mean allocations?"},
		{"other case", "Domain: home.example", "f1: Domain: unknown key; did you mean domain?"},
		{"a dash", "state-dir: x", "f1: state-dir: unknown key; did you mean state_dir?"},
		{"elsewhere", "realm: x", "f1: realm: unknown key; did you mean turn.realm?"},
		{"elsewhere twice", "allow: []\nconnections_per_address: 5", "f1: allow: unknown key; did you mean turn.peers.allow?\n" +
			"f2: connections_per_address: unknown key; did you mean turn.limits.connections_per_address or signaling.connections_per_address?"},
		{"nothing near", "foo: x", "f1: foo: unknown key, expected domain, state_dir, public, turn, signaling, tls, admin or log"},
		{"in a row", "turn: {users: [{name: ann, pasword: hunter2hunter2}]}", "f1: turn.users[0].pasword: unknown key; did you mean password?"},
		{"no space in a row", "turn:\n  users: [{name: ann, password:hunter2hunter2}]",
			"f2: turn.users[0]: unknown key, which is not shown (a password that has a comma, or no space after \"password:\"? put it in quotes), expected name, password, password_file or key"},
		{"no space", "turn: {secret:hunter2hunter2hunter2}",
			"f1: turn: unknown key, which is not shown (a secret that has a comma, or no space after \"secret:\"? put it in quotes), expected " +
				"realm, listen, stun_alternate, relay, users, secret, secret_file, credential_ttl, drain, peers or limits"},
		{"odd key", "\"a\\nb\": x", `f1: "a\nb": unknown key, expected domain, state_dir, public, turn, signaling, tls, admin or log`},
		{"twice", "domain: a.example\nlog: {}\ndomain: b.example", "f3: domain: the key is there twice, first in line 1, expected it once"},
		{"twice but for case", "domain: a.example\nDomain: b.example", "f2: Domain: the key is there twice, first in line 1, expected it once"},
		{"twice, the wrong case first", "Domain: a.example\ndomain: b.example", "f1: Domain: unknown key; did you mean domain?\n" +
			"f2: domain: the key is there twice, first in line 1, expected it once"},
		{"twice below", "turn:\n  realm: a\n  REALM: b", "f3: turn.REALM: the key is there twice, first in line 2, expected it once"},
		{"merge", "<<: {domain: x}", `f1: "<<": a YAML merge key is there, expected the keys themselves`},
		{"list as key", "? [a]\n: b", "f1: a list is there, expected the name of a key"},
		{"missing in rows", "turn:\n  users: [{password: hunter2hunter2}]\n  listen: [{network: udp}, {address: \":1\"}]",
			"f2: turn.users[0]: name is missing, " + wantUser + "\n" +
				"f3: turn.listen[0]: address is missing, " + wantListener + "\n" +
				"f3: turn.listen[1]: network is missing, expected udp, tcp or tls"},
		{"all at once", "log: {level: loud}\ndomian: x\nturn:\n  drain: soon\n  relay: {pin: maybe}",
			"f1: log.level: \"loud\" is there, expected debug, info, warn or error\n" +
				"f2: domian: unknown key; did you mean domain?\n" +
				"f4: turn.drain: \"soon\" is there, expected a duration from 0s to 1h" + wantSpan + "\n" +
				"f5: turn.relay.pin: \"maybe\" is there, expected true or false"},
	}
}

const (
	wantKeys = "not YAML: mapping values are not allowed in this context; a text with a colon and a space in it stands in quotes," +
		" and the keys of a section begin in one column"
	wantClosed = "a bracket or a quote is not closed, or a text with one of , : # in it does not stand in quotes"
)

func badYAMLFiles() []badFile {
	return []badFile{
		{"tab", "turn:\n\trealm: x", "f2: not YAML: found character that cannot start any token; did you mean spaces in place of the tab?"},
		{"GBK", "domain: a.example\nlog: {level: info} # \xc8\xd5\xd6\xbe\n",
			"f2: a text that is not UTF-8 is there, expected the file in that encoding; in Notepad it is a choice of Save as"},
		{"colon of full width", "domain：a.example\nturn: {}\n", "f2: not YAML: mapping values are not allowed in this context; did you mean , or : in place of one of full width?"},
		{"comma of full width", "turn:\n  users:\n    - {name: ann， password: x}\n", "f3: not YAML: did not find expected ',' or '}'; did you mean , or : in place of one of full width?"},
		{"open quote", "turn:\n  drain: 5s\n  realm: \"abc\n  listen: []\nsignaling: {}\n", "f3: not YAML: found unexpected end of stream; is a quote not closed?"},
		{"indent", "turn:\n  realm: x\n   listen: []", "f3: " + wantKeys},
		{"two colons", "domain: a: b", "f1: " + wantKeys},
		{"unclosed list", "domain: a.example\nturn:\n  listen: [\nsignaling: {}\n", "f3: not YAML: did not find expected ',' or ']'; " + wantClosed},
		{"unclosed quote in a row", "turn:\n  users:\n    - {name: ann, password: \"x}\n    - {name: bob, password: \"x\"}\n",
			"f3: not YAML: did not find expected ',' or '}'; " + wantClosed},
		{"comment in a row", "turn:\n  users:\n    - {name: ann, password: #hunter2}\n    - {name: bob, password: x}\n",
			"f3: not YAML: did not find expected node content; a text that begins with # stands in quotes"},
		{"comment behind an open bracket", "turn:\n  peers:\n    allow: [10.0.0.0/8   # home\n    deny: []\n",
			"f3: not YAML: did not find expected ',' or ']'; " + wantClosed},
		{"comment behind an open list", "turn:\n  relay:\n    interfaces: [          # not yet; for xdp\n",
			"f3: not YAML: did not find expected node content; " + wantClosed},
		{"comment in a row of a row", "turn: {users: [{name: ann, password: #hunter2}]}\n",
			"f1: not YAML: did not find expected node content; a text that begins with # stands in quotes"},
		{"star", "turn: {users: [{name: ann, password: *hunter2}]}", "f1: not YAML: a text that begins with * stands in quotes"},
		{"at", "turn: {users: [{name: ann, password: @hunter2}]}", "f1: not YAML: found character that cannot start any token; a text that begins with one of % @ ` stands in quotes"},
		{"tag", "turn: {users: [{name: ann, password: !hunter2 x}]}",
			"f1: turn.users[0].password: a value that is not shown is there, behind a YAML tag (a text that begins with ! stands in quotes), expected a text of at most 256 bytes"},
		{"binary", "domain: !!binary aGFsbG8=", `f1: domain: "aGFsbG8=" is there, behind a YAML tag (a text that begins with ! stands in quotes), ` + wantName},
		{"an anchor", "turn: {users: [{name: ann, password: &hunter2hunter}]}",
			"f1: turn.users[0].password: a YAML anchor is there, expected a text of at most 256 bytes; a text that begins with & stands in quotes"},
		{"an anchor and a space", "turn: {secret: &hun hunter2hunter2hunter2}",
			"f1: turn.secret: a YAML anchor is there, expected at least 16 and at most 256 bytes; a text that begins with & stands in quotes"},
		{"an anchor of nothing", "turn: {realm: &home}",
			"f1: turn.realm: a YAML anchor is there, expected at most 127 characters, no quotes and no backslash; a text that begins with & stands in quotes"},
		{"a comment", "turn:\n  users:\n    - name: ann\n      password: #hunter2hunter\n    - {name: bob, password: \"#hunter2hunter\"}",
			`f4: turn.users[0].password: nothing but a comment is there; a text that begins with # stands in quotes, and "" is nothing`},
		{"a comment for the secret", "turn:\n  secret:   #hunter2hunter2hunter2\n",
			`f2: turn.secret: nothing but a comment is there; a text that begins with # stands in quotes, and "" is nothing`},
		{"two documents", "domain: a.example\n---\ndomain: b.example", "f2: a second YAML document is there, expected one"},
		{"a list", "\n[a, b]", "f2: a list is there, expected a section with domain, state_dir, public, turn, signaling, tls, admin, log"},
		{"a word", "hello", `f1: "hello" is there, expected a section with domain, state_dir, public, turn, signaling, tls, admin, log`},
	}
}

func badScalars() []badFile {
	return []badFile{
		{"text for a section", "log: info", `f1: log: "info" is there, expected a section with level, format`},
		{"list for a section", "log: [info]", "f1: log: a list is there, expected a section with level, format"},
		{"list for a text", "domain: [a]", "f1: domain: a list is there, " + wantName},
		{"section for a text", "domain: {a: b}", "f1: domain: a section with keys is there, " + wantName},
		{"text for a list", "signaling: {origins: \"*\"}", `f1: signaling.origins: "*" is there, expected a list; did you mean ["*"]?`},
		{"nothing for a list", "turn:\n  users:\n", "f2: turn.users: nothing is there, expected a list; write [] for an empty one"},
		{"nothing for a list that can't be empty", "turn:\n  listen:\nsignaling:\n  origins:\n",
			"f2: turn.listen: nothing is there, expected a listener\nf4: signaling.origins: nothing is there, expected origins of pages; \"*\" is any"},
		{"a port for this machine", "admin: {listen: 9640}",
			`f1: admin.listen: "9640" is there, without a colon, expected host:port with an IP address of this box, or :port for all of them, or nothing; did you mean "127.0.0.1:9640"?`},
		{"row without list", "turn: {users: {name: ann}}", "f1: turn.users: a section with keys is there, expected a list; did you forget the - before it?"},
		{"row without keys", "turn: {users: [hunter2hunter2]}", "f1: turn.users[0]: a value without a key is there, expected rows with name, password, password_file, key"},
		{"null", "domain: ~", `f1: domain: "~" is there, not a name of the DNS, ` + wantName + `; for nothing, write ""`},
		{"numbers", `turn:
  limits:
    allocations: "100"
    permissions: 1e3
    channels: 0x10
    connections: 1_000
    connections_per_address: -1
    bandwidth_per_user: 010
    allocations_per_user: ten
    unauthenticated:
      rate: 0
      burst: 0.5
`, `f3: turn.limits.allocations: "100" is there, in quotes, which make it a text, expected a whole number from 1 to 1000000
f4: turn.limits.permissions: "1e3" is there, expected a whole number from 1 to 65536; did you mean 1000?
f5: turn.limits.channels: "0x10" is there, expected a whole number from 1 to 4096; did you mean 16?
f6: turn.limits.connections: "1_000" is there, expected a whole number from 1 to 1000000; did you mean 1000?
f7: turn.limits.connections_per_address: "-1" is there, expected a whole number from 1 to 1000000
f8: turn.limits.bandwidth_per_user: "010" is there, with a zero before it, expected a whole number from 0 to 1000000000000; did you mean 10?
f9: turn.limits.allocations_per_user: "ten" is there, expected a whole number from 1 to 1000000
f11: turn.limits.unauthenticated.rate: "0" is there, expected a number a second, above 0 and up to 1000000
f12: turn.limits.unauthenticated.burst: "0.5" is there, expected a whole number from 1 to 1000000`},
		{"nothing for a number", "turn: {limits: {allocations: }}", "f1: turn.limits.allocations: nothing is there, expected a whole number from 1 to 1000000"},
		{"no number", "signaling:\n  messages: {rate: .inf, burst: .nan}",
			"f2: signaling.messages.rate: \".inf\" is there, expected a number a second, above 0 and up to 1000000\n" +
				"f2: signaling.messages.burst: \".nan\" is there, expected a whole number from 1 to 1000000"},
		{"too big", "signaling: {max_message: 99999999999999999999}", `f1: signaling.max_message: "99999999999999999999" is there, expected a whole number from 1024 to 16777216`},
		{"durations", "turn:\n  credential_ttl: 3600\n  drain: 7d\npublic: {interval: 5 min}",
			"f2: turn.credential_ttl: \"3600\" is there, without a unit, expected a duration from 1s to 8784h" + wantSpan + "; did you mean 3600s?\n" +
				"f3: turn.drain: \"7d\" is there, expected a duration from 0s to 1h" + wantSpan + "\n" +
				"f4: public.interval: \"5 min\" is there, expected a duration from 1s to 24h" + wantSpan + "; did you mean 5m?"},
		{"yes", "signaling:\n  seed_room: yes\n  guest_turn: \"true\"",
			"f2: signaling.seed_room: \"yes\" is there, expected true or false; did you mean true?\n" +
				"f3: signaling.guest_turn: \"true\" is there, in quotes, which make it a text, expected true or false"},
		{"words", "signaling: {access: opne}\nlog: {level: INFO, format: yaml}\ntls: {source: selfsigned}",
			"f1: signaling.access: \"opne\" is there, expected invite or open; did you mean open?\n" +
				"f2: log.level: \"INFO\" is there, expected debug, info, warn or error; did you mean info?\n" +
				"f2: log.format: \"yaml\" is there, expected auto, text or json\n" +
				"f3: tls.source: \"selfsigned\" is there, expected auto, files, acme, self-signed or off; did you mean self-signed?"},
		{"paths", "state_dir: \"\"\ntls: {cert: ~/c.pem, key: k.pem}",
			"f1: state_dir: nothing is there, expected a path\n" +
				"f2: tls.cert: \"~/c.pem\" is there, and ~ is not expanded, expected a path"},
	}
}

func badNames() []badFile {
	return []badFile{
		{"a URL", "domain: https://home.example/", `f1: domain: "https://home.example/" is there, a URL, ` + wantName + "; did you mean home.example?"},
		{"with a port", "domain: home.example:3002", `f1: domain: "home.example:3002" is there, with a port, ` + wantName + "; did you mean home.example?"},
		{"with a path", "domain: home.example/call", `f1: domain: "home.example/call" is there, with a path, ` + wantName + "; did you mean home.example?"},
		{"with a dot", "domain: home.example.", `f1: domain: "home.example." is there, with a dot at its end, ` + wantName + "; did you mean home.example?"},
		{"wildcard", "domain: \"*.home.example\"", `f1: domain: "*.home.example" is there, a wildcard, ` + wantName + "; did you mean home.example?"},
		{"an address", "domain: 198.51.100.7", `f1: domain: "198.51.100.7" is there, an address (those belong in public.ipv4 and public.ipv6), ` + wantName},
		{"half an address", "domain: 198.51.100", `f1: domain: "198.51.100" is there, which ends in a number, ` + wantName},
		{"a space", "domain: home example", `f1: domain: "home example" is there, not a name of the DNS, ` + wantName},
		{"empty label", "domain: home..example", `f1: domain: "home..example" is there, not a name of the DNS, ` + wantName},
		{"no punycode", "domain: xn--zzzzzz9", `f1: domain: "xn--zzzzzz9" is there, not a name of the DNS, ` + wantName},
		{"long label", "domain: " + strings.Repeat("a", 64) + ".example", `f1: domain: "` + strings.Repeat("a", 60) + `..." is there, not a name of the DNS, ` + wantName},
		{"users", "turn:\n  users: [{name: \"a:b\"}, {name: \"12345\"}, {name: \" a\"}, {name: \"\"}, {name: \"a\\nb\"}]",
			"f2: turn.users[0].name: \"a:b\" is there, with a colon, " + wantUser + "\n" +
				"f2: turn.users[1].name: \"12345\" is there, which is how time-limited credentials look, " + wantUser + "\n" +
				"f2: turn.users[2].name: \" a\" is there, with a space at an end, " + wantUser + "; did you mean a?\n" +
				"f2: turn.users[3].name: nothing is there, " + wantUser + "\n" +
				"f2: turn.users[4].name: \"a\\nb\" is there, with a line break or another control character in it, " + wantUser},
		{"realm", "turn: {realm: 'a\"b'}", `f1: turn.realm: "a\"b" is there, with " or \ in it, expected at most 127 characters, no quotes and no backslash`},
		{"long realm", "turn: {realm: " + strings.Repeat("é", 128) + "}", `f1: turn.realm: "` + strings.Repeat("é", 30) + `..." is there, too long, expected at most 127 characters, no quotes and no backslash`},
		{"secret", "turn: {secret: hunter2}", "f1: turn.secret: a value that is not shown is there, 7 bytes long, expected at least 16 and at most 256 bytes"},
		{"key", "turn: {users: [{name: ann, key: \"0123\"}]}", "f1: turn.users[0].key: a value that is not shown is there, 4 bytes long, expected 32 hex digits, the MD5 of name:realm:password"},
	}
}

func badAddresses() []badFile {
	return []badFile{
		{"families", "public:\n  ipv4: 2001:db8::1\n  ipv6: 192.0.2.1",
			"f2: public.ipv4: \"2001:db8::1\" is there, an IPv6 address (public.ipv6 is for those), expected a public IPv4 address, or nothing\n" +
				"f3: public.ipv6: \"192.0.2.1\" is there, an IPv4 address (public.ipv4 is for those), expected a public IPv6 address, or nothing"},
		{"mapped", "public: {ipv6: \"::ffff:192.0.2.1\"}", `f1: public.ipv6: "::ffff:192.0.2.1" is there, an IPv4 address written as IPv6, expected a public IPv6 address, or nothing`},
		{"not public", "public: {ipv4: 127.0.0.1, ipv6: \"fe80::1%eth0\"}",
			"f1: public.ipv4: \"127.0.0.1\" is there, which no other network can reach, expected a public IPv4 address, or nothing\n" +
				"f1: public.ipv6: \"fe80::1%eth0\" is there, with an interface in it, expected a public IPv6 address, or nothing"},
		{"with a port", "public: {ipv4: \"203.0.113.7:3478\"}", `f1: public.ipv4: "203.0.113.7:3478" is there, expected a public IPv4 address, or nothing; did you mean 203.0.113.7?`},
		{"leading zero", "public: {ipv4: 203.0.113.07}", `f1: public.ipv4: "203.0.113.07" is there, expected a public IPv4 address, or nothing`},
		{"relay address", "turn: {relay: {address: 0.0.0.0}}", `f1: turn.relay.address: "0.0.0.0" is there, which is no address of one box, expected an IP address of this box, or nothing`},
		{"URLs", "public: {url: home.example}", `f1: public.url: "home.example" is there, without https:// before it, ` + wantURL + "; did you mean https://home.example?"},
		{"wss", "public: {url: wss://home.example/call}", `f1: public.url: "wss://home.example/call" is there, ` + wantURL + "; did you mean https://home.example/call?"},
		{"query", "public: {url: \"https://home.example/?a=b\"}", `f1: public.url: "https://home.example/?a=b" is there, with more than scheme, host, port and path, ` + wantURL},
		{"URL port", "public: {url: \"https://home.example:70000\"}", `f1: public.url: "https://home.example:70000" is there, with a port that is none, ` + wantURL},
		{"stun", "public: {stun: [stun.example]}", `f1: public.stun[0]: "stun.example" is there, without a port, expected host:port; did you mean stun.example:3478?`},
		{"networks", "turn:\n  peers:\n    allow: [192.168.1.20, 10.0.0.1/8, 10.0.0.0/255.0.0.0]\n    deny: [\"::ffff:10.0.0.0/104\", 10.*, 192.168/16, lan]",
			"f3: turn.peers.allow[0]: \"192.168.1.20\" is there, without its length, " + wantRange + "; did you mean 192.168.1.20/32?\n" +
				"f3: turn.peers.allow[1]: \"10.0.0.1/8\" is there, with bits beyond its length, " + wantRange + "; did you mean 10.0.0.0/8?\n" +
				"f3: turn.peers.allow[2]: \"10.0.0.0/255.0.0.0\" is there, " + wantRange + "; did you mean 10.0.0.0/8?\n" +
				"f4: turn.peers.deny[0]: \"::ffff:10.0.0.0/104\" is there, an IPv4 range written as IPv6, " + wantRange + "; did you mean 10.0.0.0/8?\n" +
				"f4: turn.peers.deny[1]: \"10.*\" is there, " + wantRange + "; did you mean 10.0.0.0/8?\n" +
				"f4: turn.peers.deny[2]: \"192.168/16\" is there, " + wantRange + "; did you mean 192.168.0.0/16?\n" +
				"f4: turn.peers.deny[3]: \"lan\" is there, " + wantRange},
		{"origins", "signaling:\n  origins: [home.example, \"https://*.example\", \"https://home.example/\", \"https://home.example:x\"]",
			"f2: signaling.origins[0]: \"home.example\" is there, without https:// before it, " + wantOrigin + "; did you mean https://home.example?\n" +
				"f2: signaling.origins[1]: \"https://*.example\" is there, with a wildcard, " + wantOrigin + "\n" +
				"f2: signaling.origins[2]: \"https://home.example/\" is there, with more than scheme, host and port, " + wantOrigin + "; did you mean https://home.example?\n" +
				"f2: signaling.origins[3]: \"https://home.example:x\" is there, " + wantOrigin},
		{"listeners", `turn:
  listen:
    - {network: upd, address: 3478}
    - {network: tcp, address: "*:3478"}
    - {network: udp, address: "fe80::1:x"}
    - {network: udp, address: "[fe80::1]"}
    - {network: udp, address: "home.example:3478"}
    - {network: udp, address: "[::1]:70000"}
    - {network: udp, address: "224.0.0.1:3478"}
`, `f3: turn.listen[0].network: "upd" is there, expected udp, tcp or tls; did you mean udp?
f3: turn.listen[0].address: "3478" is there, without a colon, ` + wantListener + `; did you mean ":3478"?
f4: turn.listen[1].address: "*:3478" is there, ` + wantListener + `; did you mean ":3478"?
f5: turn.listen[2].address: "fe80::1:x" is there, without a port from 0 to 65535, ` + wantListener + `
f6: turn.listen[3].address: "[fe80::1]" is there, without a port from 0 to 65535, ` + wantListener + `
f7: turn.listen[4].address: "home.example:3478" is there, with "home.example" in place of an address of this box, ` + wantListener + `
f8: turn.listen[5].address: "[::1]:70000" is there, without a port from 0 to 65535, ` + wantListener + `
f9: turn.listen[6].address: "224.0.0.1:3478" is there, which is no address of one box, ` + wantListener},
		{"ports upside down", "turn: {relay: {ports: 51000-50000}}", `f1: turn.relay.ports: "51000-50000" is there, upside down, ` + wantPorts + "; did you mean 50000-51000?"},
		{"ports with a colon", "turn: {relay: {ports: \"50000:50999\"}}", `f1: turn.relay.ports: "50000:50999" is there, ` + wantPorts + "; did you mean 50000-50999?"},
		{"one port", "turn: {relay: {ports: 50000}}", `f1: turn.relay.ports: "50000" is there, ` + wantPorts + "; did you mean 50000-50000?"},
		{"low ports", "turn: {relay: {ports: 80-90}}", `f1: turn.relay.ports: "80-90" is there, ports below 1024 are no relay ports, ` + wantPorts},
		{"high ports", "turn: {relay: {ports: 60000-70000}}", `f1: turn.relay.ports: "60000-70000" is there, ` + wantPorts},
	}
}

func badPairs() []badFile {
	return []badFile{
		{"one address twice", `turn:
  listen:
    - {network: tcp, address: "0.0.0.0:3478"}
    - {network: tcp, address: "192.168.1.1:3478"}
    - {network: udp, address: "[::]:3478"}
    - {network: udp, address: "[fe80::1]:3478"}
signaling: {listen: "127.0.0.1:3478"}
admin:
  listen: localhost:3478
`, `f4: turn.listen[1].address: tcp port 3478 is there, but turn.listen[0].address has it (line 3), expected another port or address
f6: turn.listen[3].address: udp port 3478 is there, but turn.listen[2].address has it (line 5), expected another port or address
f7: signaling.listen: tcp port 3478 is there, but turn.listen[0].address has it (line 3), expected another port or address
f9: admin.listen: tcp port 3478 is there, but turn.listen[0].address has it (line 3), expected another port or address`},
		{"on a default", "admin: {listen: \":3002\"}", "f1: admin.listen: tcp port 3002 is there, but signaling.listen has it (by default), expected another port or address"},
		{"on a later default", "turn:\n  listen:\n    - {network: tcp, address: \"localhost:9640\"}",
			"f3: turn.listen[0].address: tcp port 9640 is there, but admin.listen has it (by default), expected another port or address"},
		{"all addresses after one", "turn:\n  listen:\n    - {network: udp, address: \"192.168.1.1:3478\"}\n    - {network: udp, address: \":3478\"}",
			"f4: turn.listen[1].address: udp port 3478 is there, but turn.listen[0].address has it (line 3), expected another port or address"},
		{"no listener", "turn: {listen: []}", "f1: turn.listen: an empty list is there, expected a listener"},
		{"no origin", "signaling: {origins: []}", `f1: signaling.origins: an empty list is there, expected origins of pages; "*" is any`},
		{"relay address of a link", "turn: {relay: {address: \"fe80::1%eth0\"}}", `f1: turn.relay.address: "fe80::1%eth0" is there, which no other network can reach, expected an IP address of this box, or nothing`},
		{"relay over a default", "turn: {relay: {ports: 3000-4000}}", "f1: turn.relay.ports: 3000-4000 is there, but turn.listen[0].address listens on port 3478 (by default), expected a range without it"},
		{"listener in the default range", "turn:\n  listen: [{network: udp, address: \":50500\"}]",
			"f2: turn.listen[0].address: port 50500 is there, which turn.relay.ports 50000-50999 has (by default), expected one outside it"},
		{"relay over a listener", "turn:\n  listen: [{network: udp, address: \":50500\"}]\n  relay: {ports: 50000-50999}",
			"f3: turn.relay.ports: 50000-50999 is there, but turn.listen[0].address listens on port 50500 (line 2), expected a range without it"},
		{"static without address", "public: {source: static}", "f1: public.source: static is there without an address, expected public.ipv4 or public.ipv6 beside it"},
		{"half a pair", "tls: {cert: a.pem}", "f1: tls.key: nothing is there, expected a PEM file beside that of tls.cert"},
		{"no pair", "tls:\n  source: files", "f1: tls.cert: nothing is there, expected a PEM file beside that of tls.key\n" +
			"f1: tls.key: nothing is there, expected a PEM file beside that of tls.cert"},
		{"two passwords", "turn:\n  users:\n    - {name: ann, password: hunter2hunter2, key: \"00112233445566778899aabbccddeeff\"}\n    - {name: bob, password: x, password_file: two}",
			"f3: turn.users[0]: password and key are there, expected one of them\n" +
				"f4: turn.users[1].password_file: \"DIR/two\" can't be used: it has more than one line, expected a file with one line\n" +
				"f4: turn.users[1]: password and password_file are there, expected one of them"},
		{"one name twice", "turn:\n  users:\n    - {name: ann}\n    - {name: ann}", "f4: turn.users[1].name: \"ann\" is there, but turn.users[0] has that name, expected another"},
		{"secret files", "turn:\n  secret_file: nosuch\n  users:\n    - {name: ann, password_file: empty}\n    - {name: bob, password_file: .}",
			"f2: turn.secret_file: \"DIR/nosuch\" can't be used: no such file or directory, expected a file with one line\n" +
				"f4: turn.users[0].password_file: \"DIR/empty\" can't be used: it is empty, expected a file with one line\n" +
				"f5: turn.users[1].password_file: \"DIR\" can't be used: it is a directory, expected a file with one line"},
		{"two secrets", "turn:\n  secret: 0123456789abcdef\n  secret_file: empty",
			"f3: turn.secret_file: \"DIR/empty\" can't be used: it is empty, expected a file with one line\n" +
				"f3: turn.secret_file: turn.secret is there too, expected one of them"},
		{"not yet", `turn:
  relay: {datapath: xdp, interfaces: [eth0]}
  stun_alternate: {listen: "192.0.2.1:3479", public: "192.0.2.1:3479"}
public: {source: dns, dns: a.example, stun: ["stun.example:3478"]}
tls: {source: acme, acme: {email: a@b.example}}
`, `f2: turn.relay.datapath: xdp is there: not available yet, expected auto, batch or plain
f2: turn.relay.interfaces: [eth0] is there: not available yet, expected the default []
f3: turn.stun_alternate.listen: 192.0.2.1:3479 is there: not available yet, expected the default ""
f3: turn.stun_alternate.public: 192.0.2.1:3479 is there: not available yet, expected the default ""
f4: public.source: dns is there: not available yet, expected auto, static or interface
f4: public.dns: a.example is there: not available yet, expected the default ""
f4: public.stun: [stun.example:3478] is there: not available yet, expected the default []
f5: tls.source: acme is there: not available yet, expected auto, files, self-signed or off
f5: tls.acme.email: "a@b.example" is there: not available yet, expected the default ""`},
	}
}

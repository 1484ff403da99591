// Package e2e calls with real browsers through the real program. Everybody is in
// a network namespace: the box behind a home router that forwards its ports, each
// browser behind a router of its own. The tests look at the pictures that are
// decoded, and at the way that ICE has chosen. They run side by side, each in networks
// of its own, but for the one that has a time to keep to.
package e2e

import (
	"os"
	"testing"

	"icebox/internal/boxtest"
)

const (
	boxName   = "icebox.test"  // what browsers call it; see visitor
	boxPublic = "198.51.100.7" // the outer address of its router
	user      = "admin"
	password  = "123456"
)

// configuration is the config.yaml of the tests. The addresses of a lab are of
// the documentation ranges, which the peer policy denies by default.
const configuration = `
domain: ` + boxName + `
public: {source: static, ipv4: ` + boxPublic + `}
turn:
  users: [{name: ` + user + `, password: "` + password + `"}]
  peers: {allow: [203.0.113.0/24, 198.51.100.0/24]}
log: {level: debug, format: text}
`

func TestMain(m *testing.M) { os.Exit(boxtest.Main(m)) }

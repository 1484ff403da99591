package interop

import (
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"icebox/internal/boxtest"
)

// nodeModules is where Debian's packages put modules of Node.
const nodeModules = "/usr/share/nodejs"

// TestRooms checks everything that docs/PROTOCOL.md promises of rooms and that a
// client can see, with a client for Node that knows that page alone.
func TestRooms(t *testing.T) {
	if out, err := node(exec.Command("node", "-e", "require('ws')")).CombinedOutput(); err != nil {
		boxtest.Lacks(t, "node-ws (make deps): "+string(out))
	}
	w := newWorld(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	room := "wss://" + w.box.Addr().String() + ":3002/ws/kitchen"
	out, err := w.check(ctx, room, w.invite(t, "kitchen")).CombinedOutput()
	checks := 0
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "ok ") {
			checks++
		} else {
			t.Error(strings.TrimSpace(line))
		}
	}
	if err != nil || checks < 70 {
		t.Errorf("%d checks passed, and it ended with %v", checks, err)
	}
}

// check is the client, which trusts the box's certificate.
func (w *world) check(ctx context.Context, room, invite string) *exec.Cmd {
	cmd := node(w.client.Command(ctx, "node", "testdata/room-check.js", room, invite))
	cmd.Env = append(cmd.Env, "NODE_EXTRA_CA_CERTS="+w.authority.file)
	return cmd
}

// node has a command of Node find what Debian has installed.
func node(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(cmd.Environ(), "NODE_PATH="+nodeModules)
	return cmd
}

// invite asks the box for a token into a room.
func (w *world) invite(t *testing.T, room string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+w.box.Addr().String()+":3002/api/rooms",
		strings.NewReader(`{"room": "`+room+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(user, password)
	request.Header.Set("Content-Type", "application/json")
	response, err := boxtest.HTTPS(w.client).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Invite string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Invite == "" {
		t.Fatalf("an invite: %s, %v", response.Status, err)
	}
	return answer.Invite
}

package natlab

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// require skips the test, naming what is missing, where a lab can't be built,
// and fails it where CI is true.
func require(t testing.TB) {
	t.Helper()
	missing := missing()
	if missing == "" {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("natlab: needs %s", missing)
	}
	t.Skipf("natlab: needs %s", missing)
}

// missing names the first thing that a lab needs and that is not there.
func missing() string {
	if runtime.GOOS != "linux" {
		return "Linux"
	}
	if os.Geteuid() != 0 {
		return "root"
	}
	for _, program := range []string{"ip", "nft", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			return program
		}
	}
	ns, err := newNamespace()
	if err != nil {
		return "network namespaces (" + err.Error() + ")"
	}
	ns.close()
	return ""
}

package main

import (
	"os"
	"strings"
	"testing"
)

// TestResultNobodyGot: a result that can't be written is a fault.
func TestResultNobodyGot(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	dir := configDir(t, loopbackConfig)
	serving(t, dir) // which makes the secrets
	for _, args := range [][]string{{"check"}, {"invite", "r"}, {"cred"}, {"version"}} {
		var stderr strings.Builder
		if code := run(append(args, "-c", dir+"/config.yaml"), full, &stderr); code != exitFault || !strings.Contains(stderr.String(), "icebox: writing the result: ") {
			t.Errorf("%v: %d, %s", args, code, stderr.String())
		}
	}
}

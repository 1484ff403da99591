package config

import (
	"strings"
	"testing"
)

func TestSmoke(t *testing.T) {
	c, w, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	c.StateDir = t.TempDir()
	if err := c.Secrets(true); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	c.Describe(&b)
	t.Log(w, b.String())
	c.Domain = "xn--e6q212bhn0c.xn--6qq986b3xl"
	t.Log(c.Host())
}

func TestSample(t *testing.T) {
	c, w, err := Load("../config.yaml")
	if err != nil || len(w) > 0 {
		t.Fatal(err, w)
	}
	_ = c
}

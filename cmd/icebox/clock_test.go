package main

import (
	"testing"
	"time"
)

func TestWasSet(t *testing.T) {
	for _, c := range []struct {
		wall time.Duration
		want bool
	}{
		{5 * time.Second, false},
		{5*time.Second + 500*time.Millisecond, false}, // a leap of NTP
		{13 * time.Hour, true},
		{-25 * time.Hour, true},
	} {
		if got := wasSet(c.wall, 5*time.Second); got != c.want {
			t.Errorf("%v in 5s: %v", c.wall, got)
		}
	}
}

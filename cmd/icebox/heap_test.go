package main

import "testing"

func TestGCPercent(t *testing.T) {
	for sockets, want := range map[int]int{0: 100, manySockets - 1: 100, manySockets: 40, 10000: 40} {
		if got := gcPercent(sockets); got != want {
			t.Errorf("%d sockets: %d percent, want %d", sockets, got, want)
		}
	}
}

//go:build !linux

package natlab

import "os/exec"

func bind(cmd *exec.Cmd) {}

func thisProcess() (process, error) { return process{}, errNotLinux }

func endOrphans() error { return nil }

func endProcesses(chosen func(owner) bool) ([]string, error) { return nil, nil }

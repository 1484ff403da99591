// Command icebox is a STUN and TURN server, a signaling relay and the pages of
// three kinds of call, in one process on a box at home.
//
// Usage:
//
//	icebox [serve] [-c FILE]     runs the box
//	icebox check [-c FILE]       validates the configuration and prints what is in force
//	icebox cred [NAME] [--ttl D] prints iceServers with time-limited credentials
//	icebox invite ROOM [--ttl D] prints a link into a room
//	icebox version               prints what was built
//
// Without -c it reads ./config.yaml, else /etc/icebox/config.yaml, else it uses
// the built-in defaults. Results go to stdout, everything else to stderr. It
// exits 0, 1 where it found a fault, 2 where it was used wrongly.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"icebox/config"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// The exit codes of every command.
const (
	exitOK    = 0
	exitFault = 1 // the command found a fault
	exitUsage = 2 // the command was used wrongly
)

// errUsage is in the chain of an error that a command finds in its arguments
// after cobra has accepted them.
var errUsage = errors.New("wrong use")

// run executes one command line and returns its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	a := &app{stdout: stdout, stderr: stderr}
	root := newRoot(a)
	root.SetArgs(args)
	err := root.Execute()
	if err == nil {
		return exitOK
	}
	if !a.started || errors.Is(err, errUsage) {
		fmt.Fprintf(stderr, "icebox: %v\nicebox -h says how it is used.\n", err)
		return exitUsage
	}
	var faults *config.Errors
	if errors.As(err, &faults) { // each line already says where it belongs
		fmt.Fprintln(stderr, err)
	} else {
		fmt.Fprintf(stderr, "icebox: %v\n", err)
	}
	return exitFault
}

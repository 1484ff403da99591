package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// app is what all commands share.
type app struct {
	stdout, stderr io.Writer
	// file is what -c names; empty: config.Find decides.
	file string
	// started says that the command line was accepted: from then on an error is
	// a fault that was found, before it is wrong use.
	started bool
}

// print writes the result of a command. One that nobody got is a fault.
func (a *app) print(result []byte) error {
	if _, err := a.stdout.Write(result); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// newRoot makes the command tree. Without a command it serves.
func newRoot(a *app) *cobra.Command {
	// An icebox.exe that is double-clicked serves like any other.
	cobra.MousetrapHelpText = ""
	root := &cobra.Command{
		Use:   "icebox",
		Short: "calls between browsers through a box at home: TURN, STUN, signaling and pages",
		Long: "icebox serves TURN, STUN, signaling, and the pages of rooms and of three kinds of call.\n" +
			"Without a command it serves.",
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRun:  func(*cobra.Command, []string) { a.started = true },
		RunE:              func(*cobra.Command, []string) error { return a.serve() },
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.PersistentFlags().StringVarP(&a.file, "config", "c", "",
		"`FILE` to read (default ./config.yaml, else /etc/icebox/config.yaml, else built-in defaults)")
	root.SetHelpCommand(newHelp())
	plainFlags(root)
	root.AddCommand(newServe(a), newCheck(a), newCred(a), newInvite(a), newVersion(a))
	return root
}

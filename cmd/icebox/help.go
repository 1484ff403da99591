package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newHelp replaces the help command of cobra, for which a command that does not
// exist is no wrong use.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "says how icebox or one of its commands is used",
		RunE: func(cmd *cobra.Command, args []string) error {
			of, rest, err := cmd.Root().Find(args)
			if err != nil {
				return fmt.Errorf("%w: %w", err, errUsage)
			}
			if len(rest) > 0 {
				return fmt.Errorf("help %s: one command is expected: %w", plain(strings.Join(args, " ")), errUsage)
			}
			of.InitDefaultHelpFlag() // so that it is listed
			return of.Help()
		},
	}
}

// plainFlags makes usage texts list --help without [=true|false], which nobody
// needs.
func plainFlags(root *cobra.Command) {
	const values = "[=true|false]"
	cobra.AddTemplateFunc("flags", func(set interface{ FlagUsages() string }) string {
		return strings.ReplaceAll(set.FlagUsages(), values, strings.Repeat(" ", len(values)))
	})
	root.SetUsageTemplate(strings.NewReplacer(
		".LocalFlags.FlagUsages", "flags .LocalFlags",
		".InheritedFlags.FlagUsages", "flags .InheritedFlags").Replace(root.UsageTemplate()))
}

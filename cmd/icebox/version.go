package main

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "prints what was built, from which commit and with which Go",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				info = &debug.BuildInfo{}
			}
			var out bytes.Buffer
			printVersion(&out, info)
			return a.print(out.Bytes())
		},
	}
}

// printVersion prints the version on its first line, then the commit and the
// Go that it was built with. A build outside of a checkout knows no commit.
func printVersion(w io.Writer, info *debug.BuildInfo) {
	version := info.Main.Version
	if version == "" {
		version = "(devel)"
	}
	fmt.Fprintln(w, "icebox", version)
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if commit := settings["vcs.revision"]; commit != "" {
		modified := ""
		if settings["vcs.modified"] == "true" {
			modified = ", modified"
		}
		fmt.Fprintf(w, "commit %s of %s%s\n", commit, settings["vcs.time"], modified)
	}
	fmt.Fprintf(w, "%s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

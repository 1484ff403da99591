package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"icebox/config"
	"icebox/turnserver"
	"icebox/web"
)

func newCred(a *app) *cobra.Command {
	var ttl time.Duration
	cmd := &cobra.Command{
		Use:   "cred [NAME]",
		Short: "prints iceServers with time-limited credentials of a user (default: the first)",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("ttl") && (ttl < time.Second || ttl > config.MaxCredentialTTL) {
				return fmt.Errorf("--ttl %v: a second is the least, 366 days the most: %w", ttl, errUsage)
			}
			return a.cred(strings.Join(args, ""), ttl)
		},
	}
	cmd.Flags().DurationVar(&ttl, "ttl", 0, "how long they are good for, such as 90m (default turn.credential_ttl)")
	return cmd
}

// cred prints what /api/ice would answer to the user name, with the secret of
// the state directory, which it never creates. ttl 0: turn.credential_ttl.
func (a *app) cred(name string, ttl time.Duration) error {
	cfg, _, err := a.load()
	if err != nil {
		return err
	}
	if name, err = chooseUser(cfg, name); err != nil {
		return err
	}
	if err := cfg.Secrets(false); err != nil {
		return err
	}
	if ttl == 0 {
		ttl = cfg.TURN.CredentialTTL
	}
	host, err := a.credHost(cfg)
	if err != nil {
		return err
	}
	user, password := turnserver.MintUser(cfg.TURN.Secret, name, time.Now().Add(ttl))
	cred := web.Credentials{Username: user, Password: password, TTL: ttl}
	cert, err := certificateFiles(cfg, slog.New(slog.DiscardHandler))
	trusted := err == nil && cert != nil && cert.Trusted()
	return a.printJSON(web.ICEServers(cfg, nil, web.Hosts{Public: host}, cred, trusted))
}

func (a *app) printJSON(v any) error {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	return a.print(out.Bytes())
}

// chooseUser is the user that credentials are for: the named one, else the first.
func chooseUser(cfg *config.Config, name string) (string, error) {
	var known []string
	for _, u := range cfg.TURN.Users {
		known = append(known, u.Name)
	}
	switch {
	case len(known) == 0:
		return "", errors.New("turn.users is empty: there is nobody to make credentials for")
	case name == "":
		return known[0], nil
	case !slices.Contains(known, name):
		return "", fmt.Errorf("no user %s in turn.users; there are %s", plain(name), plainList(known))
	}
	return name, nil
}

// credHost is the host that the iceServers name. That of this network alone is
// said to be so.
func (a *app) credHost(cfg *config.Config) (string, error) {
	lan := lanAddresses()[0].ip
	if cfg.Domain == "" && !staticAddress(cfg).IsValid() {
		fmt.Fprintf(a.stderr, "icebox: neither domain nor public.ipv4 is set: %s works in this network only\n", lan)
	}
	return publicName(cfg, lan)
}

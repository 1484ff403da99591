package main

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/mdp/qrterminal/v3"
	"github.com/spf13/cobra"

	"icebox/config"
	"icebox/signaling"
	"icebox/web"
)

func newInvite(a *app) *cobra.Command {
	var ttl time.Duration
	cmd := &cobra.Command{
		Use:   "invite ROOM",
		Short: "prints a link into a room, and its QR code on a terminal",
		Long: "Prints a link that lets whoever has it into a room, until it ends. A room is there\n" +
			"as soon as somebody enters it. All links end when turn.secret changes.",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if ttl < time.Second || ttl > web.MaxInviteTTL {
				return fmt.Errorf("--ttl %v: a second is the least, ten years the most: %w", ttl, errUsage)
			}
			if !web.IsRoom(args[0]) {
				return fmt.Errorf("ROOM %s: 1 to 64 letters, digits, - and _ are expected: %w", plain(args[0]), errUsage)
			}
			return a.invite(args[0], ttl)
		},
	}
	cmd.Flags().DurationVar(&ttl, "ttl", web.InviteTTL, "how long the link is good for, such as 90m")
	return cmd
}

// invite prints a link into the room, signed with the secret of the state
// directory, which it never creates.
func (a *app) invite(room string, ttl time.Duration) error {
	cfg, _, err := a.load()
	if err != nil {
		return err
	}
	if err := cfg.Secrets(false); err != nil {
		return err
	}
	page, err := a.landingPage(cfg)
	if err != nil {
		return err
	}
	link := web.RoomLink(page, room, signaling.Invite(cfg.TURN.Secret, room, time.Now().Add(ttl)))
	out := bytes.NewBufferString(link + "\n")
	if isTerminal(a.stdout) {
		qrterminal.GenerateHalfBlock(link, qrterminal.L, out)
	}
	return a.print(out.Bytes())
}

// landingPage is the page that a link begins with: the public one, else that of
// this box in its own network.
func (a *app) landingPage(cfg *config.Config) (string, error) {
	scheme := "https"
	if cfg.TLS.Source == "off" {
		scheme = "http"
	}
	_, text, err := net.SplitHostPort(cfg.Signaling.Listen)
	if err != nil {
		return "", fmt.Errorf("reading the port of signaling.listen: %w", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return "", fmt.Errorf("reading the port of signaling.listen: %w", err)
	}
	if port == 0 && cfg.Public.URL == "" {
		fmt.Fprintln(a.stderr, "icebox: signaling.listen has port 0: put the port that the box has chosen into the link")
	}
	if page := publicPage(cfg, scheme, port); page != "" {
		return page, nil
	}
	host, err := a.credHost(cfg)
	if err != nil {
		return "", err
	}
	return web.PageURL(scheme, host, port), nil
}

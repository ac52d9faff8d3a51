package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/policy/ballot"
	"sluice/policy/workspace"
	"sluice/town"

	"sluice/internal/pattern"
)

func upCommand() *cobra.Command {
	var o town.Options
	var members []string
	c := &cobra.Command{
		Use:   "up [--demo]",
		Short: "Run a small town in one process",
		Args:  between(0, 0),
		Long: "Runs a broker, a gateway, a store and the open data in one process, on loopback. With --demo it adds\n" +
			"a simulated city with a simulated clock: it replays yesterday, then an hour takes ten seconds.\n" +
			"Without --demo everything is real: it sets up a first roster and a policy without decisions in\n" +
			"--dir, and measures nothing until the roster has signed a decision.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out, o.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			defer endAtHangup()()
			var err error
			if o.Members, err = readMembers(members); err != nil {
				return err
			}
			switch {
			case o.Dir == "" && !o.Demo:
				o.Dir = "town"
			case o.Dir == "":
				dir, err := os.MkdirTemp("", "sluice-demo-")
				if err != nil {
					return err
				}
				defer os.RemoveAll(dir)
				o.Dir, o.Ephemeral = dir, true
			}
			var t *town.Town
			going, err := interruptible(cmd.Context(), func() (err error) {
				t, err = town.Open(cmd.Context(), o)
				return err
			})
			switch {
			case !going:
				return nil // it was asked to end before it was there
			case err != nil:
				return err
			}
			return t.Run(cmd.Context())
		},
	}
	f := c.Flags()
	f.BoolVar(&o.Demo, "demo", false, "add a simulated city with a simulated clock")
	f.StringVar(&o.Dir, "dir", "", "directory of the town (default: ./town; for the demo a temporary one, removed "+
		"at the end)")
	f.StringArrayVar(&members, "member", nil, "member of the first roster, as NAME=FILE.pub; may be repeated "+
		"(default: one founding member with a new key)")
	f.BoolVar(&o.AllowSwap, "allow-swap", false, "run even if memory may be written to unencrypted swap")
	f.StringVar(&o.HTTP, "http", "127.0.0.1:8080", "address of the open data")
	f.StringVar(&o.MQTT, "mqtt", "127.0.0.1:1883", "address where sensors connect")
	f.StringVar(&o.WebSocket, "websocket", "", "address where sensors connect by WebSocket (default: none)")
	f.StringVar(&o.Admin, "admin", "127.0.0.1:9090", "address of health and metrics")
	f.BoolVar(&o.JSON, "json", false, "print addresses and progress as JSON lines")
	return c
}

// readMembers reads NAME=FILE.pub.
func readMembers(list []string) ([]workspace.Member, error) {
	var out []workspace.Member
	for _, arg := range list {
		id, file, ok := strings.Cut(arg, "=")
		if !ok || !memberName.MatchString(id) {
			return nil, &usageError{"--member is NAME=FILE.pub, with a name of small letters, digits, - and _"}
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, &config.Refusal{Err: fmt.Errorf("--member %s: %w", id, err)}
		}
		line := strings.TrimSpace(string(raw))
		if _, err := ballot.ParseKey(line); err != nil {
			return nil, &config.Refusal{Err: fmt.Errorf("--member %s: %s: %w", id, file, err)}
		}
		out = append(out, workspace.Member{ID: id, Key: line})
	}
	return out, nil
}

var memberName = pattern.New(`^[a-z0-9][a-z0-9_-]{0,62}$`)

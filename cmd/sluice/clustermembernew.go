package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"sluice/gateway/cluster/roster"
	"sluice/gateway/config"
	"sluice/internal/yamldoc"
	"sluice/perm"
)

func memberNewCommand() *cobra.Command {
	var dir string
	var roles []string
	c := &cobra.Command{
		Use:   "new NAME --roles ROLE,... --dir DIR",
		Short: "Make a machine's key, and its line for the roster",
		Args:  between(1, 1),
		Long: "On the machine itself: writes DIR/member.key, which nobody else may read and no other machine needs,\n" +
			"and prints the line that goes into the roster, below members:. NAME is what gateway.yaml calls name in\n" +
			"its section cluster, DIR what it calls credentials.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := knownRoles(roles); err != nil {
				return err
			}
			private, line, err := roster.New(args[0])
			if err != nil {
				return &usageError{err.Error()}
			}
			if err := perm.Dir(dir, 0o700); err != nil {
				return &config.Refusal{Err: err}
			}
			to := filepath.Join(dir, "member.key")
			if err = perm.Create(to, private, 0o600); errors.Is(err, fs.ErrExist) {
				return config.Refuse("%s is there already: it is the key of a member; use it, or name another "+
					"directory for another member", to)
			}
			clear(private)
			if err != nil {
				return &config.Refusal{Err: err}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s is secret, and stays on this machine. The line goes into the roster, "+
				"below members:\n", to)
			key := strings.Join(strings.Fields(line)[:2], " ") // the name is not there twice
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "  - {name: %s, key: %s, roles: [%s]}\n", args[0], key,
				strings.Join(roles, ", "))
			return err
		},
	}
	c.Flags().StringVar(&dir, "dir", "cluster", "directory of the machine's credentials")
	c.Flags().StringSliceVar(&roles, "roles", nil, "what it does: front, worker, releaser, or several (required)")
	return c
}

// knownRoles refuses what no machine does.
func knownRoles(roles []string) error {
	wanted := []string{string(roster.Front), string(roster.Worker), string(roster.Releaser)}
	seen := map[string]bool{}
	for _, role := range roles {
		near := yamldoc.Nearest(role, wanted)
		switch {
		case near == role && !seen[role]:
			seen[role] = true
		case near == role:
			return &usageError{"--roles has " + role + " twice"}
		case near != "":
			return &usageError{fmt.Sprintf("--roles: %q is no role; did you mean %s?", role, near)}
		default:
			return &usageError{fmt.Sprintf("--roles: %q is no role; they are %s", role, strings.Join(wanted, ", "))}
		}
	}
	if len(roles) == 0 {
		return &usageError{"what does the machine do? give --roles with front, worker, releaser, or several of them"}
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"

	"sluice/policy/ballot"
	"sluice/policy/council"
	"sluice/policy/workspace"
)

func motionBallot(dir *string) *cobra.Command {
	var reason string
	var agree, against, abstain bool
	c := &cobra.Command{
		Use:   "ballot ID --against|--abstain|--for --reason TEXT",
		Short: "Write the text for a member who is against a motion, abstains, or says why they are for it",
		Args:  between(1, 1),
		Long: "Writes DIR/motions/ID/against.txt or abstain.txt, which names the motion's text by its SHA-256, the\n" +
			"choice and the reason. The member signs it with ssh-keygen, as printed; text and signature go among\n" +
			"the ballots. They are public and part of the record; only signatures over motion.txt count to the\n" +
			"quorum. Who is for the motion signs motion.txt; --for writes for.txt, with which they can sign a\n" +
			"reason as well. Without a signature over motion.txt it is nothing.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := localeOf(cmd)
			if err != nil {
				return err
			}
			var choices []ballot.Choice
			for _, x := range []struct {
				given  bool
				choice ballot.Choice
			}{{agree, ballot.For}, {against, ballot.Against}, {abstain, ballot.Abstain}} {
				if x.given {
					choices = append(choices, x.choice)
				}
			}
			if len(choices) != 1 {
				return &usageError{"give --against or --abstain; who is for the motion signs motion.txt, and can " +
					"give a reason by --for"}
			}
			return writeBallot(cmd.OutOrStdout(), v, workspace.Dir(*dir), args[0], choices[0], reason)
		},
	}
	c.Flags().BoolVar(&agree, "for", false, "the member is for the motion, and gives a reason beside their vote")
	c.Flags().BoolVar(&against, "against", false, "the member is against the motion")
	c.Flags().BoolVar(&abstain, "abstain", false, "the member abstains")
	c.Flags().StringVar(&reason, "reason", "", "why, in one line; it is public")
	return c
}

func writeBallot(w io.Writer, v locale, d workspace.Dir, id string, choice ballot.Choice, reason string) error {
	parts, _, err := d.Load(id)
	if err != nil {
		return failed(err)
	}
	s, err := council.StatementOf(parts[council.TextName], choice, reason)
	if err != nil {
		return failed(err)
	}
	name := string(choice) + ".txt"
	to := filepath.Join(d.Motion(id), name)
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return failed(fmt.Errorf("%s is there already; take it away to write another", to))
	}
	if err := d.Put(path.Join("motions", id, name), s.Bytes()); err != nil {
		return failed(err)
	}
	if choice == ballot.For {
		fmt.Fprintln(w, v.Say("This is why, and no vote: that is the signature over motion.txt."))
	}
	fmt.Fprintf(w, "%s\n\n  ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n %s %s\n\n%s\n",
		v.Say("Written: %s", to)+". "+v.Say("The member signs it:"), ballot.StatementNamespace(s.City), to,
		v.Say("Both files, %s and %s, go into %s.", name, name+".sig",
			filepath.Join(d.Motion(id), council.BallotsName)))
	return nil
}

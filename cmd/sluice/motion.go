package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"sluice/gateway"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/desk"
	"sluice/policy/diff"
)

func motionCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "motion", Short: "Put a policy to the council's vote, count, and enact it",
		Long: "The clerk makes a motion of the policy directory; members read motion.txt and sign it with ssh-keygen, which is on\n" +
			"every computer; the clerk collects their signatures and enacts the motion. Gateways verify everything anew.",
		Args: cobra.NoArgs, RunE: showHelp,
	}
	var dir string
	c.PersistentFlags().StringVar(&dir, "dir", ".", "policy directory; its motions are in DIR/motions")
	c.PersistentFlags().String("lang", "", langUsage)
	c.AddCommand(motionCreate(&dir), motionStatus(&dir), motionEnact(&dir), motionShow(&dir), motionSuspend(&dir))
	return c
}

// wrong is the exit code for a thing that was checked and is not right.
func wrong(err error) error {
	var refusal *gateway.Refusal
	if err == nil || errors.As(err, &refusal) {
		return err
	}
	return &exit{exitWrong, err.Error()}
}

func motionCreate(dir *string) *cobra.Command {
	var gateways []string
	c := &cobra.Command{
		Use: "create ID", Short: "Freeze the policy directory into a motion", Args: cobra.ExactArgs(1),
		Long: "Writes DIR/motions/ID: motion.txt, which says in plain language what changes and is what members sign, the bundle\n" +
			"with the policy, and allowed_signers. The policy must pass sluice policy check; only its\n" +
			"notice may be shorter, which the motion lengthens, and what is wrong in a file that is in force as it is may\n" +
			"stay, where a rule came later than the vote.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := speak(cmd)
			if err != nil {
				return err
			}
			d := desk.Desk(*dir)
			p, err := readPolicy(cmd.Context(), v, *dir)
			if err != nil {
				return err
			}
			if list := lines(v, check.PassedOver(*dir), ""); len(list) > 0 {
				return wrong(unusable(v, *dir, list))
			}
			if err := sound(cmd, v, d, p); err != nil {
				return err
			}
			m, err := d.Create(desk.Order{ID: args[0], Gateways: gateways, Now: time.Now(), Policy: p})
			if err != nil {
				return wrong(err)
			}
			return created(cmd.OutOrStdout(), v, d, m, p.Location)
		},
	}
	c.Flags().StringSliceVar(&gateways, "gateways", nil, "names of the gateways it is for; or all; those of the motion before by default, and all at first")
	return c
}

// sound refuses a policy of which a decision would not run, that nobody could change
// again, or in which something is still to be written.
func sound(cmd *cobra.Command, v voice, d desk.Desk, p *bundle.Policy) error {
	rules, err := childRules()
	if err != nil {
		return err
	}
	defer rules.Close()
	set, err := compile.Policy(cmd.Context(), rules, p)
	if err != nil {
		return wrong(err)
	}
	var problems []string
	for _, list := range set.Broken {
		for _, why := range list {
			problems = append(problems, why.String())
		}
	}
	if list := ailments(cmd.Context(), v, p.Files, ""); v.Lang != 0 && len(problems) > 0 && len(list) > 0 { // rules speak English only
		problems = list
	}
	if len(problems) > 0 {
		return wrong(fmt.Errorf("the policy breaks its charter; sluice policy check says where:\n  %s", strings.Join(problems, "\n  ")))
	}
	most := 1
	for _, q := range []diff.Quorum{diff.Enact, diff.Weaken, diff.Charter, diff.Roster, diff.Suspend} {
		most = max(most, q.Of(p.Charter))
	}
	if n := len(p.Council.Members); n < most {
		return wrong(fmt.Errorf("the charter asks for %d members and council.yaml has %d: nobody could ever change this policy again", most, n))
	}
	chain, err := d.Chain()
	if err != nil {
		return wrong(err)
	}
	var inForce *bundle.Policy
	if last := desk.Last(chain); last != nil {
		inForce = last.Policy
	}
	if list := lines(v, check.Unvoted(cmd.Context(), rules, p.Files, inForce, day(time.Now())), ""); len(list) > 0 {
		return wrong(unusable(v, string(d), list))
	}
	return nil
}

// noMember stands where a roster has nobody.
const noMember = "MEMBER"

func firstMember(s *council.Standing) string {
	if len(s.Members) == 0 {
		return noMember
	}
	return s.Members[0].ID
}

// quorums are their names in the charter, which are the same in every language.
func quorums(list []diff.Quorum) string {
	out := make([]string, len(list))
	for i, q := range list {
		out[i] = string(q)
	}
	return strings.Join(out, ", ")
}

func standing(d desk.Desk, parts council.Parts) (*council.Standing, error) {
	v, err := d.Verifier(parts)
	if err != nil {
		return nil, err
	}
	v.Now = time.Now()
	return v.Count(parts)
}

func motionStatus(dir *string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "status ID", Short: "Say who has signed, what is missing, and for which quorum", Args: cobra.ExactArgs(1),
		Long: "Exit code 0 when the motion can be enacted, 1 when something is missing.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := speak(cmd)
			if err != nil {
				return err
			}
			d := desk.Desk(*dir)
			parts, problems, err := d.Load(args[0])
			if err != nil {
				return wrong(err)
			}
			s, err := standing(d, parts)
			if err != nil {
				return wrong(err)
			}
			if asJSON {
				return statusJSON(cmd.OutOrStdout(), v, args[0], s, problems)
			}
			return status(cmd.OutOrStdout(), v, d, args[0], s, problems)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func status(w io.Writer, v voice, d desk.Desk, id string, s *council.Standing, problems []error) error {
	tell := func(err error) string { return v.Retell(told(err)) }
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range s.Members {
		switch {
		case m.Signed:
			fmt.Fprintf(t, "  %s\t%s (%s)\n", v.Say("signed"), m.Name, m.ID)
		case m.Problem != nil:
			fmt.Fprintf(t, "  %s\t%s (%s): %s\n", v.Say("INVALID"), m.Name, m.ID, tell(m.Problem))
		default:
			fmt.Fprintf(t, "  -\t%s (%s)\n", m.Name, m.ID)
		}
	}
	_ = t.Flush() // to a terminal or a buffer
	for _, p := range problems {
		fmt.Fprintln(w, v.Say("  left out: %s", tell(p)))
	}
	if s.Needed == 1 {
		fmt.Fprintf(w, "\n%s\n", v.Say("%d of 1 signature (%s), because:", s.Signed, quorums(s.Needs)))
	} else {
		fmt.Fprintf(w, "\n%s\n", v.Say("%d of %d signatures (%s), because:", s.Signed, s.Needed, quorums(s.Needs)))
	}
	showChanges(w, v, s.Changes)
	switch {
	case council.CodeOf(s.Problem) == council.NotYet && s.Problem != nil:
		fmt.Fprintln(w, v.Say("It takes effect on %s, whenever it is enacted before.", v.moment(s.From, s.From.Location())))
	case s.Problem != nil:
		fmt.Fprintf(w, "%s\n", tell(s.Problem))
	}
	if err := unready(v, s); err != nil {
		return err
	}
	if file := filepath.Join(d.Motion(id), id+".sluice"); isFile(file) {
		fmt.Fprintf(w, "\n%s\n", v.Say("It is enacted: %s is what gateways take.", file))
		return nil
	}
	fmt.Fprintf(w, "\n%s\n", v.Say("Enough. Next: sluice motion enact %s", id)+elsewhere(d))
	return nil
}

// unready is why the motion cannot be enacted: the same in words and in JSON.
func unready(v voice, s *council.Standing) error {
	if left := s.Needed - s.Signed; left > 0 {
		return &exit{exitWrong, v.Say("%d more members must sign motion.txt", left)}
	}
	for _, m := range s.Members {
		if m.Problem != nil {
			return &exit{exitWrong, v.Say("take the invalid ballot out, or have the member sign again")}
		}
	}
	if s.Problem != nil && council.CodeOf(s.Problem) != council.NotYet {
		return wrong(s.Problem)
	}
	return nil
}

// mostChanges is how many changes a terminal is shown; what is weaker or stronger is
// always among them.
const mostChanges = 12

// showChanges lists what a motion changes, each with the quorum that it needs.
func showChanges(w io.Writer, v voice, changes []diff.Change) {
	shown := changes
	if n := len(changes); n > mostChanges {
		for n = mostChanges; n < len(changes) && changes[n].Mark != diff.Neutral; n++ { // they come first
		}
		shown = changes[:n]
	}
	for _, c := range shown {
		fmt.Fprintf(w, "  %-*s  %s: %s (%s)\n", widest(v), c.Mark.Word(v.Lang), c.About, c.Words(v.Lang), c.Needs)
	}
	if len(changes) == 0 {
		fmt.Fprintf(w, "  %s\n", v.Say("nothing changes"))
	}
	if left := len(changes) - len(shown); left > 0 {
		fmt.Fprintf(w, "  %s\n", v.Say("%d more that are neutral; motion.txt says all", left))
	}
}

// widest is how wide the longest mark is.
func widest(v voice) int {
	n := 0
	for _, m := range []diff.Mark{diff.Neutral, diff.Stronger, diff.Weaker} {
		n = max(n, utf8.RuneCountInString(m.Word(v.Lang)))
	}
	return n
}

func statusJSON(w io.Writer, v voice, id string, s *council.Standing, problems []error) error {
	type member struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Signed  bool   `json:"signed"`
		Problem string `json:"problem,omitempty"`
	}
	out := struct {
		Motion   string        `json:"motion"`
		Needed   int           `json:"needed"`
		Signed   int           `json:"signed"`
		Quorums  []diff.Quorum `json:"quorums"`
		Members  []member      `json:"members"`
		Problems []string      `json:"problems"` // ballots that are nobody's
		Problem  string        `json:"problem,omitempty"`
	}{id, s.Needed, s.Signed, s.Needs, []member{}, []string{}, ""}
	if s.Problem != nil {
		out.Problem = v.Retell(s.Problem.Error())
	}
	for _, m := range s.Members {
		x := member{ID: m.ID, Name: m.Name, Signed: m.Signed}
		if m.Problem != nil {
			x.Problem = v.Retell(m.Problem.Error())
		}
		out.Members = append(out.Members, x)
	}
	for _, p := range problems {
		out.Problems = append(out.Problems, v.Retell(p.Error()))
	}
	if err := printJSON(w, out); err != nil {
		return err
	}
	return unready(v, s)
}

func motionEnact(dir *string) *cobra.Command {
	var inboxes []string
	c := &cobra.Command{
		Use: "enact ID", Short: "Write the one file that gateways take, once enough members have signed", Args: cobra.ExactArgs(1),
		Long: "Verifies the motion as a gateway does, then writes DIR/motions/ID/ID.sluice, and a copy into each --inbox. Gateways\n" +
			"take it from a directory or a web server; putting it there is all that is left to do.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := speak(cmd)
			if err != nil {
				return err
			}
			now := time.Now()
			e, files, err := desk.Desk(*dir).Enact(args[0], now, inboxes)
			if err != nil {
				return wrong(err)
			}
			w := cmd.OutOrStdout()
			if who := v.List(e.Members()); len(e.Ballots) == 1 {
				fmt.Fprintln(w, v.Say("%s, version %d, is enacted with the signature of %s (%d needed).", e.ID, e.Version, who, e.Needed))
			} else {
				fmt.Fprintln(w, v.Say("%s, version %d, is enacted with the signatures of %s (%d needed).", e.ID, e.Version, who, e.Needed))
			}
			if e.From.After(now) {
				fmt.Fprintln(w, v.Say("It takes effect on %s; until then gateways announce it.", v.moment(e.From, e.Policy.Location)))
			}
			fmt.Fprintln(w, v.Say("Written: %s", strings.Join(files, ", ")))
			if len(inboxes) == 0 {
				fmt.Fprintln(w, v.Say("No gateway has it yet: put %s where policy.inbox of their gateway.yaml says, or run this again with --inbox DIR.", files[0]))
			}
			if e.Version == 1 {
				fmt.Fprintf(w, "\n%s\n\n  policy: {inbox: %s, roster: \"sha256:%s\"}\n", v.Say("A gateway that starts with it pins this roster in gateway.yaml:"), v.Say("PATH or URL"), e.Roster)
			}
			return nil
		},
	}
	c.Flags().StringSliceVar(&inboxes, "inbox", nil, "directories that gateways look into")
	return c
}

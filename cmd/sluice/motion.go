package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/gateway"
	"sluice/policy"
	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/policy/decision"
	"sluice/policy/desk"
	"sluice/policy/diff"
)

func motionCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "motion", Short: "Put a policy to the council's vote, count, and enact it",
		Long: "The clerk makes a motion of the policy directory; members read motion.txt and sign it with ssh-keygen, which is on\n" +
			"every computer; the clerk collects their signatures and enacts the motion. Gateways verify everything anew.",
	}
	var dir string
	c.PersistentFlags().StringVar(&dir, "dir", ".", "policy directory; its motions are in DIR/motions")
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
			"with the policy, and allowed_signers. The policy must pass sluice policy check.",
		RunE: func(cmd *cobra.Command, args []string) error {
			d := desk.Desk(*dir)
			p, err := d.Draft()
			if err != nil {
				return wrong(err)
			}
			if err := sound(cmd, p); err != nil {
				return err
			}
			m, err := d.Create(desk.Order{ID: args[0], Gateways: gateways, Now: time.Now(), Policy: p})
			if err != nil {
				return wrong(err)
			}
			return created(cmd.OutOrStdout(), d, m)
		},
	}
	c.Flags().StringSliceVar(&gateways, "gateways", nil, "names of the gateways it is for; or all; those of the motion before by default, and all at first")
	return c
}

// sound refuses a policy of which a decision would not run, or that nobody could
// change again.
func sound(cmd *cobra.Command, p *bundle.Policy) error {
	rules, err := childRules()
	if err != nil {
		return err
	}
	defer rules.Close()
	set, err := policy.CompilePolicy(cmd.Context(), rules, p)
	if err != nil {
		return wrong(err)
	}
	var problems []string
	for _, list := range set.Broken {
		for _, why := range list {
			problems = append(problems, why.String())
		}
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
	return nil
}

func firstMember(s *council.Standing) string {
	if len(s.Members) == 0 {
		return "MEMBER"
	}
	return s.Members[0].ID
}

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
				return statusJSON(cmd.OutOrStdout(), args[0], s, problems)
			}
			return status(cmd.OutOrStdout(), args[0], s, problems)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func status(w io.Writer, id string, s *council.Standing, problems []error) error {
	for _, m := range s.Members {
		switch {
		case m.Signed:
			fmt.Fprintf(w, "  signed   %s (%s)\n", m.Name, m.ID)
		case m.Problem != nil:
			fmt.Fprintf(w, "  INVALID  %s (%s): %s\n", m.Name, m.ID, told(m.Problem))
		default:
			fmt.Fprintf(w, "  -        %s (%s)\n", m.Name, m.ID)
		}
	}
	for _, p := range problems {
		fmt.Fprintf(w, "  left out: %s\n", told(p))
	}
	fmt.Fprintf(w, "\n%d of %d signatures (%s), because:\n", s.Signed, s.Needed, quorums(s.Needs))
	for _, c := range s.Changes {
		fmt.Fprintf(w, "  %-8s  %s: %s (%s)\n", c.Mark, c.About, c.Words(0), c.Needs)
	}
	if len(s.Changes) == 0 {
		fmt.Fprintln(w, "  nothing changes")
	}
	if s.Problem != nil {
		fmt.Fprintf(w, "%s\n", told(s.Problem))
	}
	if left := s.Needed - s.Signed; left > 0 {
		return &exit{exitWrong, fmt.Sprintf("%d more members must sign motion.txt", left)}
	}
	for _, m := range s.Members {
		if m.Problem != nil {
			return &exit{exitWrong, "take the invalid ballot out, or have the member sign again"}
		}
	}
	if s.Problem != nil && council.CodeOf(s.Problem) != council.NotYet {
		return wrong(s.Problem)
	}
	fmt.Fprintf(w, "\nEnough. Next: sluice motion enact %s\n", id)
	return nil
}

func statusJSON(w io.Writer, id string, s *council.Standing, problems []error) error {
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
		Problems []string      `json:"problems"`
	}{id, s.Needed, s.Signed, s.Needs, []member{}, []string{}}
	for _, m := range s.Members {
		x := member{ID: m.ID, Name: m.Name, Signed: m.Signed}
		if m.Problem != nil {
			x.Problem = m.Problem.Error()
		}
		out.Members = append(out.Members, x)
	}
	for _, p := range problems {
		out.Problems = append(out.Problems, p.Error())
	}
	if err := printJSON(w, out); err != nil {
		return err
	}
	if s.Signed < s.Needed {
		return &exit{exitWrong, "more members must sign"}
	}
	return nil
}

func motionEnact(dir *string) *cobra.Command {
	var inboxes []string
	c := &cobra.Command{
		Use: "enact ID", Short: "Write the one file that gateways take, once enough members have signed", Args: cobra.ExactArgs(1),
		Long: "Verifies the motion as a gateway does, then writes DIR/motions/ID/ID.sluice, and a copy into each --inbox. Gateways\n" +
			"take it from a directory or a web server; putting it there is all that is left to do.",
		RunE: func(cmd *cobra.Command, args []string) error {
			d := desk.Desk(*dir)
			e, files, err := d.Enact(args[0], time.Now(), inboxes)
			if err != nil {
				return wrong(err)
			}
			w := cmd.OutOrStdout()
			fmt.Fprintf(w, "%s, version %d, is enacted with the signatures of %s (%d needed).\n", e.ID, e.Version, strings.Join(e.Members(), ", "), e.Needed)
			if e.NotBefore.After(time.Now()) {
				fmt.Fprintf(w, "It takes effect at %s; until then gateways announce it.\n", e.NotBefore.In(e.Policy.Location).Format("2 January 2006, 15:04"))
			}
			fmt.Fprintf(w, "Written: %s\n", strings.Join(files, ", "))
			if e.Version == 1 {
				fmt.Fprintf(w, "\nA gateway that starts with it pins this roster in gateway.yaml:\n\n  policy: {inbox: PATH or URL, roster: \"sha256:%s\"}\n", e.Roster)
			}
			return nil
		},
	}
	c.Flags().StringSliceVar(&inboxes, "inbox", nil, "directories that gateways look into")
	return c
}

func motionShow(dir *string) *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Say what is in force, since when, by whose votes, and until when", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := desk.Desk(*dir)
			chain, err := d.Chain()
			if err != nil {
				return wrong(err)
			}
			if len(chain) == 0 {
				return showNothing(cmd.OutOrStdout(), d)
			}
			show(cmd.OutOrStdout(), chain, time.Now())
			return nil
		},
	}
}

func showNothing(w io.Writer, d desk.Desk) error {
	files, err := policy.ReadDir(string(d))
	if err != nil {
		return wrong(err)
	}
	roster, ok := files["council.yaml"]
	if !ok {
		return wrong(errors.New("there is no council.yaml here; say where the policy directory is with --dir"))
	}
	fmt.Fprintf(w, "No motion has been enacted yet: nothing flows.\nThe roster in council.yaml, as gateways pin it: roster: \"sha256:%s\"\nNext: sluice motion create ID\n", council.Sum(roster))
	return nil
}

// remindBefore is how long before a decision's last day show speaks of it.
const remindBefore = 60

func show(w io.Writer, chain []*council.Enacted, now time.Time) {
	current := desk.InForce(chain, now)
	for _, e := range chain[len(current):] {
		fmt.Fprintf(w, "Version %d, motion %s, was voted by %s and waits until %s.\n", e.Version, e.ID, strings.Join(e.Members(), ", "), e.NotBefore.In(e.Policy.Location).Format("2 January 2006, 15:04"))
	}
	last, since := desk.Last(current), lastChanged(current)
	if last == nil {
		fmt.Fprintln(w, "Nothing is in force yet, so nothing flows.")
		return
	}
	fmt.Fprintf(w, "Version %d, motion %s, in force from %s, signed by %s.\n", last.Version, last.ID,
		last.NotBefore.In(last.Policy.Location).Format("2 January 2006, 15:04"), strings.Join(last.Members(), ", "))
	fmt.Fprintf(w, "First roster: sha256:%s\n\n", chain[0].Roster)
	for i := range last.Policy.Decisions {
		doc := &last.Policy.Decisions[i]
		e := since[doc.Decision]
		state := "in force"
		switch {
		case last.Policy.Suspension(doc.Decision) != nil:
			state = "suspended"
		case now.Before(doc.Stream.From):
			state = "coming"
		case !now.Before(doc.Stream.Until):
			state = "past"
		}
		fmt.Fprintf(w, "%s  %s  %s\n", doc.Decision, state, diffTitle(doc))
		fmt.Fprintf(w, "    from %s until %s, by motion %s with %s\n", doc.From, doc.Until, e.ID, strings.Join(e.Members(), ", "))
		if days := int(doc.Stream.Until.Sub(now).Hours() / 24); state == "in force" && days < remindBefore {
			fmt.Fprintf(w, "    REMINDER: its last day is in %d days; after it nothing of it is published\n", days)
		}
		if r := doc.Review; state == "in force" && r != (decision.Date{}) && now.AddDate(0, 0, remindBefore/2).After(r.Start(last.Policy.Location)) {
			fmt.Fprintf(w, "    REMINDER: the council wanted to look at it again by %s\n", r)
		}
	}
	if len(last.Policy.Decisions) == 0 {
		fmt.Fprintln(w, "There is no decision, so nothing flows.")
	}
}

func diffTitle(d *bundle.Decision) string {
	for _, lang := range []string{"en", "ca", "es"} {
		if t := d.Title[lang]; t != "" {
			return t
		}
	}
	return d.Document.Stream
}

// lastChanged finds the motion that gave each decision its present text.
func lastChanged(chain []*council.Enacted) map[string]*council.Enacted {
	out, texts := make(map[string]*council.Enacted), make(map[string]string)
	for _, e := range chain {
		for _, d := range e.Policy.Decisions {
			if texts[d.Decision] != string(d.YAML) {
				out[d.Decision], texts[d.Decision] = e, string(d.YAML)
			}
		}
	}
	return out
}

func motionSuspend(dir *string) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "suspend DECISION --reason TEXT", Short: "Put a suspension to the vote: few signatures, at once", Args: cobra.ExactArgs(1),
		Long: "Makes a motion of the policy in force with one change: the decision is suspended. It takes effect as soon as it is\n" +
			"enacted; windows that are open are withheld. The reason is public.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return &usageError{"suspend needs --reason: residents read it"}
			}
			d := desk.Desk(*dir)
			chain, err := d.Chain()
			if err != nil {
				return wrong(err)
			}
			now := time.Now()
			last := desk.Last(desk.InForce(chain, now))
			var day decision.Date
			if last != nil {
				y, m, dd := now.In(last.Policy.Location).Date()
				day = decision.Date{Year: y, Month: int(m), Day: dd}
			}
			p, err := d.Suspend(last, args[0], strings.TrimSpace(reason), day)
			if err != nil {
				return wrong(err)
			}
			m, err := d.Create(desk.Order{ID: fmt.Sprintf("suspend-%s-v%d", args[0], last.Version+1), Gateways: last.Gateways, Now: now, Policy: p, AtOnce: true})
			if err != nil {
				return wrong(err)
			}
			return created(cmd.OutOrStdout(), d, m)
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, in words for residents")
	return c
}

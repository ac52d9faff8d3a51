package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/policy/desk"
	"sluice/policy/dpia"
	"sluice/policy/schema"
	"sluice/register"
)

func policyNew() *cobra.Command {
	var dir, language string
	c := &cobra.Command{
		Use: "new ID", Short: "Write a commented decision to begin with", Args: cobra.ExactArgs(1),
		Long: "Writes DIR/decisions/ID.yaml, and DIR/schema for editors. Where DIR is no policy directory yet, it becomes one, with the\n" +
			"example city's charter, kinds and zones to be replaced, and an empty roster.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := speak(cmd)
			if err != nil {
				return err
			}
			id := args[0]
			if !council.GoodID(id) {
				return &usageError{"a decision's id is letters, digits and . _ -, e.g. 2026-14"}
			}
			written, err := layDesk(v, dir)
			if err != nil {
				return wrong(err)
			}
			p, err := readPolicy(cmd.Context(), v, dir)
			if err != nil {
				return err
			}
			to := filepath.Join(dir, "decisions", id+".yaml")
			if _, err := os.Stat(to); err == nil {
				return wrong(fmt.Errorf("%s is there already; choose another id", to))
			}
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return wrong(err)
			}
			if err := os.WriteFile(to, []byte(commentsIn(v, newDecision(v, p, id, time.Now()))), 0o644); err != nil {
				return wrong(err)
			}
			for _, name := range append(written, to) {
				fmt.Fprintln(cmd.OutOrStdout(), name)
			}
			fmt.Fprintln(cmd.ErrOrStderr(), v.Say("Next: fill in %s, then: sluice policy check %s", to, dir))
			return nil
		},
	}
	langFlag(c, &language)
	c.Flags().StringVar(&dir, "dir", ".", "policy directory")
	return c
}

// layDesk makes a policy directory where there is none, and the schemas.
func layDesk(v voice, dir string) ([]string, error) {
	var written []string
	put := func(name string, raw []byte) error {
		to := filepath.Join(dir, name)
		if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		written = append(written, to)
		return os.WriteFile(to, raw, 0o644)
	}
	example := portalba.Policy()
	for _, name := range []string{"charter.yaml", "council.yaml", "kinds.yaml", "zones.geojson"} {
		raw := example[name]
		if name == "charter.yaml" {
			raw = nameless(raw, v)
		}
		if strings.HasSuffix(name, ".yaml") {
			raw = []byte("# yaml-language-server: $schema=schema/" + schema.Of(name) + ".schema.json\n" + commentsIn(v, string(raw)))
		}
		if err := put(name, raw); err != nil {
			return nil, err
		}
	}
	return written, desk.Desk(dir).Schemas()
}

// newDecision is a decision that fits the directory's charter, kinds and zones.
func newDecision(v voice, p *bundle.Policy, id string, now time.Time) string {
	kind, unit := "", ""
	for _, k := range sortedKeys(p.Kinds) {
		for _, u := range p.Kinds[k].Units {
			if u.Field != "" && unit == "" {
				kind, unit = k, fmt.Sprintf("{field: %s, stands_for: %s}", u.Field, u.StandsFor)
			}
		}
	}
	var keep string
	var stands, field string
	if unit != "" {
		i := slices.IndexFunc(p.Kinds[kind].Units, func(u register.KindUnit) bool { return u.Field != "" })
		field, stands = p.Kinds[kind].Units[i].Field, p.Kinds[kind].Units[i].StandsFor
		keep = field
	} else if ids := sortedKeys(p.Kinds); len(ids) > 0 {
		kind, unit = ids[0], `{none: "`+v.Say("<why it is about nobody; residents read it>")+`"}`
	}
	left := p.Charter.EpsilonPerDay[stands]
	for _, d := range p.Decisions {
		if d.Stream.Unit.StandsFor == stands && !d.Stream.Unit.None() {
			left -= d.Protect.Epsilon * float64(d.EpochsPerDay())
		}
	}
	budget := fmt.Sprintf("%v", left)
	note := "of the charter's budget for a day, this is what other decisions leave"
	if left <= 0 {
		budget, note = "0.1", "other decisions use the charter's whole budget for a day: lower theirs, or end one"
	}
	zone := "ZONE"
	if ids := p.Zones.IDs(); len(ids) > 0 {
		zone = ids[0]
	}
	purpose := "PURPOSE"
	if len(p.Charter.Purposes) > 0 {
		purpose = p.Charter.Purposes[0]
	}
	from := now.In(p.Location).AddDate(0, 0, p.Charter.NoticeDays+14)
	until := from.Add(p.Charter.SunsetMax.Nominal()).AddDate(0, 0, -1)
	if most := from.AddDate(1, 0, -1); until.After(most) {
		until = most
	}
	measure := `- {name: ` + stands + `s, of: "distinct(unit)"}   # also count(), sum(FIELD), mean(FIELD), quantile(FIELD, 0.5) with between: [low, high]; histogram(FIELD) with edges: [...]`
	if stands == "" {
		measure = `- {name: readings, of: "count()"}   # also sum(FIELD), mean(FIELD); leq(FIELD) of decibels`
	}
	protect := fmt.Sprintf(`protect:
  min_units: %d                # never published from fewer
  epsilon: %s                  # %s
  delta: 1e-6
  max_contributions: %d         # (zone, hour) pairs in which one counts
forget_after: P1D              # how long one can be recognised, in memory only
`, p.Charter.MinUnits, budget, note, min(2, max(1, p.Charter.MaxContributions)))
	if stands == "" {
		protect = ""
	}
	return fmt.Sprintf(`# yaml-language-server: $schema=../schema/decision.schema.json
# A decision of the council. What it does not name is dropped; what it names needs a reason.
# Check it: sluice policy check. Read it as residents will: sluice policy explain %[1]s
decision: %[1]q
title: %[18]s
stream: %[2]s                  # name of the published series: small letters, digits, - and _
purpose: %[3]s                 # one of: %[4]s
legal_basis: "%[19]s"   # with its article
applies_to: {kinds: [%[5]s], zones: [%[6]s]}   # kinds: %[7]s; zones: %[8]s
unit: %[9]s   # whom it protects; or {none: "why it is about nobody"}
keep: [%[10]s]                 # %[11]s
# where: [{field: FIELD, op: ">=", value: 0}]   # only readings that meet this count
place: sensor
publish:
  every: PT1H                  # divides a day: PT15M, PT1H, P1D
  lateness: PT2M               # how long late readings still count
  by: [zone]
  measures:
    %[12]s
%[13]sretain: P5Y                    # of the published numbers
from: %[14]s
until: %[15]s               # the last day; the charter allows %[16]s
review: %[17]s              # when the council looks at it again
`, id, streamName(id), purpose, strings.Join(p.Charter.Purposes, ", "), kind, zone, strings.Join(sortedKeys(p.Kinds), ", "), strings.Join(p.Zones.IDs(), ", "),
		unit, keep, fieldsOf(p.Kinds[kind]), measure, protect, from.Format(time.DateOnly), until.Format(time.DateOnly), p.Charter.SunsetMax, review(from, until).Format(time.DateOnly),
		untitled(p.Charter.City.Languages), v.Say("<the law that allows it>"))
}

func streamName(id string) string {
	name := strings.Map(func(r rune) rune {
		if r == '.' || r == '_' {
			return '-'
		}
		return r
	}, strings.ToLower(id))
	return "stream-" + name
}

func fieldsOf(k register.Kind) string {
	var out []string
	for _, f := range k.Fields {
		out = append(out, f.Name+" ("+f.Class+")")
	}
	return "the kind sends: " + strings.Join(out, ", ")
}

func policyDPIA() *cobra.Command {
	var language, reg string
	c := &cobra.Command{
		Use: "dpia [DIR]", Short: "Pre-fill an impact assessment and an article 30 record, in Markdown", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lang(language)
			if err != nil {
				return err
			}
			p, err := readPolicy(cmd.Context(), newVoice(l), dirArg(args))
			if err != nil {
				return err
			}
			sensors := &register.Register{}
			for _, near := range []string{"register.yaml", "../register.yaml"} {
				if path := filepath.Join(dirArg(args), near); reg == "" && isFile(path) {
					reg = path
				}
			}
			if reg != "" {
				if sensors, err = register.Load(reg, os.ReadFile); err != nil {
					return wrong(err)
				}
			}
			text, err := dpia.Markdown(l, p, sensors)
			if err != nil {
				return wrong(err)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), text)
			return err
		},
	}
	langFlag(c, &language)
	c.Flags().StringVar(&reg, "register", "", "register of sensors; by default register.yaml in the policy directory or beside it")
	return c
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

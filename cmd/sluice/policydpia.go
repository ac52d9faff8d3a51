package main

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"sluice/policy/bundle"
	"sluice/policy/dpia"
	"sluice/register"
)

// assessment has the flags of policy dpia.
type assessment struct{ language, dir, register, form string }

func policyDPIA() *cobra.Command {
	var o assessment
	c := &cobra.Command{
		Use:   "dpia [DIR or DECISION...]",
		Short: "Draft an impact assessment and an article 30 record",
		Long: "Fills in what the policy and the register say (GDPR, articles 35 and 30), in the order of the EDPB's\n" +
			"template, and people's answers from dpia.yaml in the policy directory; what they have not answered yet\n" +
			"is left to them. Risks are graded from the policy's figures. What protects less than what is in force,\n" +
			"or is new, is to be assessed again, until dpia.yaml says that it was. DECISION is an id or a file; all\n" +
			"decisions of the directory by default. --form pia writes the file that CNIL's PIA tool imports.",
		RunE: o.run,
	}
	f := c.Flags()
	f.StringVar(&o.dir, "dir", ".", "policy directory")
	langFlag(c, &o.language)
	f.StringVar(&o.register, "register", "", "register of sensors (default: register.yaml in the policy directory "+
		"or beside it)")
	f.StringVar(&o.form, "form", "markdown", "markdown, or pia: JSON for CNIL's PIA tool")
	return c
}

func (o *assessment) run(cmd *cobra.Command, args []string) error {
	l, err := lang(o.language)
	if err != nil {
		return err
	}
	if o.form != "markdown" && o.form != "pia" {
		return &usageError{"--form is markdown or pia"}
	}
	dir, args := findPolicyDir(o.dir, args)
	p, err := readPolicy(cmd.Context(), newLocale(l), dir)
	if err != nil {
		return err
	}
	in := dpia.Input{Lang: l, Policy: p}
	if in.Decisions, err = choose(p, args); err != nil {
		return err
	}
	if in.Register, err = o.sensors(dir); err != nil {
		return failed(err)
	}
	if in.Answers, err = readAnswers(dir); err != nil {
		return failed(err)
	}
	inForce, err := policyInForce(dir)
	if err != nil {
		return failed(err)
	}
	named := func(x dpia.Due) bool {
		return slices.ContainsFunc(in.Decisions, func(d *bundle.Decision) bool { return d.Decision == x.Decision })
	}
	in.Due = slices.DeleteFunc(dpia.Reassess(inForce, p, in.Answers), func(x dpia.Due) bool { return !named(x) })
	var text []byte
	if o.form == "pia" {
		text, err = dpia.PIA(in, time.Now())
	} else {
		var s string
		s, err = dpia.Markdown(in)
		text = []byte(s)
	}
	if err != nil {
		return failed(err)
	}
	_, err = cmd.OutOrStdout().Write(text)
	return err
}

// sensors are the register's, where there is one.
func (o *assessment) sensors(dir string) (*register.Register, error) {
	for _, near := range []string{"register.yaml", "../register.yaml"} {
		if path := filepath.Join(dir, near); o.register == "" && isFile(path) {
			o.register = path
		}
	}
	if o.register == "" {
		return &register.Register{}, nil
	}
	return register.Load(o.register, os.ReadFile)
}

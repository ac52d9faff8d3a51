package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"sluice/policy/bundle"
	"sluice/policy/consult"
	"sluice/policy/explain"
	"sluice/policy/workspace"
	"sluice/simulate"
	"sluice/simulate/charts"
)

// consultation has the flags of policy consult.
type consultation struct {
	language, dir, out, to, until, process, street string
	answers                                        []string
	json                                           bool
}

func policyConsult() *cobra.Command {
	var o consultation
	c := &cobra.Command{
		Use:   "consult DECISION",
		Short: "Put a draft to the public before the vote, and read the answers",
		Args:  between(1, 1),
		Long: "Writes a folder of plain pages, one for each of the city's languages: the draft in words, a " +
			"picture of\n" +
			"a simulated day, what changes, what it means for people, and a form to answer by e-mail or, " +
			"printed, by\n" +
			"post. It needs no server and no script. --answers reads what came back (the text of mails, or a " +
			"CSV with\n" +
			"the columns opinion, useful, worry, change, from), and prints counts and a list in which nobody is named.",
		RunE: o.run,
	}
	f := c.Flags()
	f.StringVar(&o.dir, "dir", ".", "policy directory")
	langFlag(c, &o.language)
	f.StringVar(&o.out, "out", "", "folder for the pages; it must not be there yet, or be one of before")
	f.StringVar(&o.to, "to", "", "e-mail address for answers (default: the charter's responsible)")
	f.StringVar(&o.until, "until", "", "last day for answers (default: in 30 days)")
	f.StringVar(&o.process, "process", "", "address of a page about it, beside those that the decision names")
	f.StringVar(&o.street, "street", "", "the simulated street, as for policy simulate (default: a template's)")
	f.StringSliceVar(&o.answers, "answers", nil, "files of answers to read instead of writing pages")
	f.BoolVar(&o.json, "json", false, "print answers as JSON")
	return c
}

func (o *consultation) run(cmd *cobra.Command, args []string) error {
	v, err := localeOf(cmd)
	if err != nil {
		return err
	}
	if (o.out == "") == (len(o.answers) == 0) {
		return &usageError{"give --out DIR for the pages, or --answers FILE"}
	}
	o.dir, _ = findPolicyDir(o.dir, args)
	draft, _, d, err := readDraft(cmd.Context(), v, o.dir, args[0])
	if err != nil {
		return err
	}
	if len(o.answers) > 0 {
		return o.read(cmd, v, d)
	}
	inForce, err := policyInForce(o.dir)
	if err != nil {
		return failed(err)
	}
	in := consult.Input{Policy: draft, Decision: d, InForce: inForce, To: o.to, Process: o.process}
	if err := o.check(&in, time.Now()); err != nil {
		return err
	}
	if in.Answers, err = readAnswers(o.dir); err != nil {
		return failed(err)
	}
	if in.Pictures, err = o.pictures(cmd.Context(), draft, d); err != nil {
		var lack *simulate.Lacks
		if !errors.As(err, &lack) {
			return err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), v.Say("There is no picture: %s", lacksError(v, err).Error()))
	}
	files, err := consult.Folder(in)
	if err != nil {
		return failed(err)
	}
	if err := putFolder(o.out, files); err != nil {
		return failed(err)
	}
	fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(o.out, "index.html"))
	if in.To == "" && in.Post == "" {
		fmt.Fprintln(cmd.ErrOrStderr(), v.Say("The pages say no address for answers: give --to, or write responsible "+
			"into charter.yaml"))
	}
	return nil
}

// check fills in whom answers go to and until when.
func (o *consultation) check(in *consult.Input, now time.Time) error {
	who := in.Policy.Charter.City.Responsible
	in.To, in.Post = cmp.Or(in.To, who.Email), ""
	if who.Address != "" {
		in.Post = who.Name + ", " + who.Address
	}
	if in.To != "" && !consult.GoodTo(in.To) {
		return &usageError{"answers go to one e-mail address, e.g. council@city.example"}
	}
	if in.Process != "" && !consult.GoodProcess(in.Process) {
		return &usageError{"the process is the address of a page, https://…"}
	}
	const days = 30
	in.Until = day(now.In(in.Policy.Location).AddDate(0, 0, days))
	if o.until != "" {
		if err := in.Until.UnmarshalText([]byte(o.until)); err != nil {
			return &usageError{"--until is a day such as 2026-12-31"}
		}
		if in.Until.End(in.Policy.Location).Before(now) {
			return &usageError{"--until is over already"}
		}
	}
	return nil
}

// pictures are the charts of a simulated day, by language.
func (o *consultation) pictures(
	ctx context.Context, p *bundle.Policy, d *bundle.Decision,
) (map[string][]byte, error) {
	street := charts.StreetOf(d)
	if o.street != "" {
		var err error
		if street, err = simulate.ParseAnswers(o.street); err != nil {
			return nil, &usageError{err.Error()}
		}
	}
	return charts.Of(ctx, p, d, street, func(l explain.Lang) simulate.Speech { return newLocale(l) },
		func(l explain.Lang) string { return newLocale(l).Say("the street") })
}

// putFolder writes files into a folder that is new, or that has only files of these names.
func putFolder(dir string, files map[string][]byte) error {
	there, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, f := range there {
		if files[f.Name()] == nil {
			return fmt.Errorf("%s has other files already, such as %s; name a folder that is not there yet", dir,
				f.Name())
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := workspace.Dir(dir).Put(name, files[name]); err != nil {
			return err
		}
	}
	return nil
}

// read reads answers and prints them.
func (o *consultation) read(cmd *cobra.Command, v locale, d *bundle.Decision) error {
	var list []consult.Answer
	for _, name := range o.answers {
		info, err := os.Stat(name)
		if err != nil {
			return failed(err)
		}
		if info.Size() > consult.MaxFile {
			return failed(fmt.Errorf("%s: longer than %d MiB; split it", name, consult.MaxFile>>20))
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			return failed(err)
		}
		some, err := consult.ParseAnswers(name, raw)
		if err != nil {
			return failed(err)
		}
		list = append(list, some...)
	}
	if o.json {
		return printJSON(cmd.OutOrStdout(), map[string]any{
			"decision": d.Decision, "counts": consult.Counts(list), "answers": list,
		})
	}
	_, err := fmt.Fprint(cmd.OutOrStdout(), consult.Markdown(v.Lang, d.Decision, list))
	return err
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/policy/dpia"
	"sluice/policy/templates"
	"sluice/policy/workspace"
)

// newPolicy has the flags of policy new.
type newPolicy struct {
	dir, language, like string
	list                bool
}

func policyNew() *cobra.Command {
	var o newPolicy
	c := &cobra.Command{
		Use:   "new ID",
		Short: "Write a commented decision to start from",
		Args:  between(0, 1),
		Long: "Writes DIR/decisions/ID.yaml, and DIR/schema for editors. If DIR is no policy directory yet, it also\n" +
			"writes the example city's charter, kinds and zones, to be replaced, and an empty roster.\n\n" +
			"--like begins with a template (--list names them), and adds to kinds.yaml and charter.yaml the kind of\n" +
			"sensor and the purpose that they lack for it, comments kept; or with a decision that is there, which\n" +
			"it continues under another ID.",
		RunE: o.run,
	}
	langFlag(c, &o.language)
	f := c.Flags()
	f.StringVar(&o.dir, "dir", ".", "policy directory")
	f.StringVar(&o.like, "like", "", "template, or decision of the policy directory, to begin with")
	f.BoolVar(&o.list, "list", false, "list the templates")
	return c
}

func (o *newPolicy) run(cmd *cobra.Command, args []string) error {
	v, err := localeOf(cmd)
	if err != nil {
		return err
	}
	if o.list {
		for _, t := range templates.List() {
			fmt.Fprintf(cmd.OutOrStdout(), "%-18s %s. %s\n", t.ID, v.Lang.Title(t.Name), v.Lang.Title(t.About))
		}
		return nil
	}
	if err := between(1, 1)(cmd, args); err != nil {
		return &usageError{err.Error()}
	}
	id := args[0]
	if !council.GoodID(id) {
		return &usageError{"a decision's id has only letters, digits and . _ -, e.g. 2026-14"}
	}
	written, err := writeExample(v, o.dir)
	if err != nil {
		return failed(err)
	}
	p, err := readPolicy(cmd.Context(), v, o.dir)
	if err != nil {
		return err
	}
	to := filepath.Join(o.dir, "decisions", id+".yaml")
	if d := p.Decision(id); d != nil {
		return failed(fmt.Errorf("decision %s exists already, in %s; choose another id",
			id, filepath.Join(o.dir, d.File)))
	}
	if _, err := os.Stat(to); err == nil {
		return failed(fmt.Errorf("%s exists already; choose another id", to))
	}
	text, needs, err := o.text(v, p, id)
	if err != nil {
		return err
	}
	added, err := o.add(v, p, needs, id)
	if err != nil {
		return failed(err)
	}
	if err := workspace.Dir(o.dir).Put(path.Join("decisions", filepath.Base(to)), text); err != nil {
		return failed(err)
	}
	for _, name := range append(written, to) {
		fmt.Fprintln(cmd.OutOrStdout(), name)
	}
	for _, line := range added {
		fmt.Fprintln(cmd.OutOrStdout(), line)
	}
	fmt.Fprintln(cmd.ErrOrStderr(), v.Say("Next: fill in %s, then: sluice policy check %s", to, o.dir))
	return nil
}

// text is the new decision, and the template that it has, if any.
func (o *newPolicy) text(v locale, p *bundle.Policy, id string) ([]byte, *templates.Template, error) {
	if o.like == "" {
		text, err := newDecision(v, p, id, time.Now())
		return []byte(commentsIn(v, text)), nil, err
	}
	if d := p.Decision(o.like); d != nil {
		text, err := templates.Like(p, d, id, time.Now())
		return text, nil, failed(err)
	}
	t, found := templates.Get(o.like)
	if !found {
		return nil, nil, failed(fmt.Errorf("there is no template and no decision %s; see sluice policy new --list",
			o.like))
	}
	return t.Decision(v.Lang, p, id, time.Now()), &t, nil
}

// add writes what a template needs into the policy's files, and says what that was.
func (o *newPolicy) add(v locale, p *bundle.Policy, t *templates.Template, id string) (said []string, err error) {
	if t == nil {
		return nil, nil
	}
	changed, list, err := t.Add(p)
	if err != nil {
		return nil, err
	}
	answers := filepath.Join(o.dir, dpia.AnswersName)
	was, err := os.ReadFile(answers)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if changed[dpia.AnswersName], err = t.Assess(was, id); err != nil {
		return nil, fmt.Errorf("%s: %w", answers, err)
	}
	for name, raw := range changed {
		if err := workspace.Dir(o.dir).Put(name, raw); err != nil {
			return nil, err
		}
	}
	for _, a := range list {
		entry, _, _ := strings.Cut(a.Entry, "\n")
		if a.Done {
			said = append(said, v.Say("%s: %s has now: %s", filepath.Join(o.dir, a.File), a.Place, entry))
		} else {
			said = append(said, v.Say("%s: add to %s by hand: %s", filepath.Join(o.dir, a.File), a.Place, a.Entry))
		}
	}
	if changed["charter.yaml"] != nil {
		said = append(said, v.Say("%d members must sign a change of the charter.", p.Charter.Quorums.Charter))
	}
	return append(said, v.Say("%s: paragraphs for the impact assessment; make them yours", answers)), nil
}

// writeExample writes the files that a policy directory lacks, as the example city has them, and
// the schemas. It returns the files that it wrote.
func writeExample(v locale, dir string) ([]string, error) {
	var written []string
	put := func(name string, raw []byte) error {
		to := filepath.Join(dir, name)
		if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		written = append(written, to)
		return workspace.Dir(dir).Put(name, raw)
	}
	for _, name := range []string{"charter.yaml", "council.yaml", "kinds.yaml", "zones.geojson"} {
		if err := put(name, exampleFile(v, name)); err != nil {
			return nil, err
		}
	}
	return written, workspace.Dir(dir).Schemas()
}

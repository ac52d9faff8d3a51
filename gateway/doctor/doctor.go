// Package doctor looks at everything that a gateway needs, and says what to mend.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sluice/brief"
	"sluice/gateway/config"
	"sluice/perm"
	"sluice/policy/rego"
	"sluice/register"
)

// Verdict of one check.
type Verdict string

// The verdicts. Away is a component that cannot be reached.
const (
	Fine Verdict = "ok"
	Warn Verdict = "warn"
	Fail Verdict = "fail"
	Away Verdict = "unreachable"
)

// Finding is one check of doctor: what was looked at, how it is, over several lines where a
// file's line is shown, and what to do.
type Finding struct {
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Found   string  `json:"found"`
	Hint    string  `json:"hint,omitempty"`
}

// findings are what was found so far.
type findings struct{ list []Finding }

func (d *findings) say(check string, v Verdict, found, hint string) {
	d.list = append(d.list, Finding{check, v, brief.Report(found), brief.Text(hint)})
}

// fail is a finding about an error; one about a file's mode brings its own hint.
func (d *findings) fail(check string, err error, hint string) {
	var w *perm.Error
	if errors.As(err, &w) {
		d.say(check, Fail, w.Path+" "+w.What, w.Fix)
		return
	}
	d.say(check, Fail, err.Error(), hint)
}

// Examine looks at everything that a gateway with this configuration needs. It
// mends nothing (it makes the directory for keys, to see that it can) and may be
// used beside a running gateway. The rules are the council's, in a process of their own.
// The broker's own configuration file is read where it is given, or found on this machine.
func Examine(ctx context.Context, cfg config.Config, rules rego.Evaluator, mosquittoConf string) []Finding {
	f := new(findings)
	f.say("configuration", Fine, "it can be read", "")
	reg := f.register(&cfg)
	here := &machine{f, &cfg}
	(&sources{f, &cfg, reg}).ways(ctx, mosquittoConf)
	here.cluster(ctx)
	here.store(ctx)
	here.disk()
	here.swap()
	here.keys()
	here.files()
	here.clock()
	here.ledger(ctx)
	here.witness(ctx)
	(&policies{f, &cfg, reg, rules}).policy(ctx)
	here.admin()
	(&process{f, &cfg}).running(ctx)
	return f.list
}

// register reads the register; nil where it cannot be read.
func (d *findings) register(cfg *config.Config) *register.Register {
	reg, err := cfg.ReadRegister()
	if err != nil {
		d.fail("register", err, "mend the file that register: names; sluice register check says all that is wrong")
		return nil
	}
	d.say("register", Fine, counted(len(reg.Sensors), "sensor", "sensors"), "")
	return reg
}

// counted is a number of things, with the words that follow one and several.
func counted(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}

// firstOf are the first twenty of names.
func firstOf(ids []string) string {
	names := strings.Join(ids[:min(len(ids), 20)], ", ")
	if len(ids) > 20 {
		names += ", ..."
	}
	return names
}

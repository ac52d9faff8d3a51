package simulate

import (
	"context"
	"errors"
	"strings"
)

// Quick is Run without gateways: the same report, computed at once by rehearsals. Its noise is from
// the seed, and no budget is ever spent.
func Quick(ctx context.Context, o Options, seed uint64) (*Report, error) {
	d := o.Draft.Decision(o.Decision)
	if d == nil {
		return nil, noDecision(o.Decision)
	}
	sp := orEnglish(o.Speech)
	first, err := NewRehearsal(ctx, o.Draft, d, o.Traffic, sp, o.Progress)
	if err != nil {
		return nil, err
	}
	report := &Report{Start: o.Traffic.Start.In(o.Draft.Location), Days: o.Traffic.days(), Notes: first.Notes}
	t, err := first.Try(ValuesOf(d), seed)
	if err != nil {
		return nil, err
	}
	report.Draft = t.Side
	if report.Proposal, err = first.Propose(ValuesOf(d), sp); err != nil || o.InForce == nil {
		return report, err
	}
	old := Matching(o.InForce, d)
	if old == nil {
		return report, nil
	}
	second, err := NewRehearsal(ctx, o.InForce, old, o.Traffic, sp, nil)
	if lack := (*Lacks)(nil); errors.As(err, &lack) {
		report.Notes = append(report.Notes, notBeside(sp, lack))
		return report, nil
	} else if err != nil {
		return nil, err
	}
	if t, err = second.Try(ValuesOf(old), seed); err != nil {
		return nil, err
	}
	report.InForce = t.Side
	report.InForce.Name = nameInForce
	return report, nil
}

// notBeside is that what is in force is left out, and why.
func notBeside(sp Speech, lack *Lacks) string {
	return sp.Say("What is in force is not simulated beside it: %s.", strings.Join(lack.Sentences, "; "))
}

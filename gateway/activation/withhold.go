package activation

import (
	"context"

	"sluice/plan"
	"sluice/policy/compile"
	"sluice/policy/rego"
)

// ReleaseRules are those that a window is released by. What goes wrong when they are
// asked is noted; then everything is withheld.
type ReleaseRules struct {
	*compile.Set // that the window has run under
	p            *Policies
}

// ReleaseRules are of the policy with a digest, one that was in force.
func (p *Policies) ReleaseRules(digest string) ReleaseRules {
	return ReleaseRules{p.View().Sets[digest], p}
}

// withhold asks the policy in force, which may have suspended what an open window
// began under, then the window's own.
func (r ReleaseRules) withhold(ctx context.Context, q plan.Question) (map[string]string, error) {
	if now := r.p.View().Current; now != nil && now.Suspension(q.Stream.Decision) != nil {
		return now.Withhold(ctx, q)
	}
	return r.Set.Withhold(ctx, q)
}

// Withhold implements release.Rules.
func (r ReleaseRules) Withhold(ctx context.Context, q plan.Question) (map[string]string, error) {
	zones, err := r.withhold(ctx, q)
	why := ""
	if err != nil {
		code := rego.CodeOf(err)
		why = string(code) + ": the release rules cannot be asked, so windows are withheld"
		r.p.count(code)
		r.p.log.Error("the release rules cannot be asked; the window is withheld", "code", code,
			"decision", q.Stream.Decision)
	}
	if r.p.View().Withheld != why {
		r.p.update(func(v *View) { v.Withheld = why })
	}
	return zones, err
}

package gateway

import (
	"context"

	"sluice/policy/compile"
	"sluice/policy/plan"
	"sluice/policy/rego"
)

// watchedRules notes what goes wrong when the release rules are asked; then
// everything is withheld.
type watchedRules struct {
	*compile.Set
	g *Gateway
}

// withhold asks the policy in force, which may have suspended what an open window
// began under, then the window's own.
func (w watchedRules) withhold(ctx context.Context, q plan.Question) (map[string]string, error) {
	if now, _ := w.g.inForce(); now != nil && now.Suspension(q.Stream.Decision) != nil {
		return now.Withhold(ctx, q)
	}
	return w.Set.Withhold(ctx, q)
}

// Withhold implements release.Rules.
func (w watchedRules) Withhold(ctx context.Context, q plan.Question) (map[string]string, error) {
	zones, err := w.withhold(ctx, q)
	w.g.mu.Lock()
	defer w.g.mu.Unlock()
	if w.g.withheld = ""; err != nil {
		code := rego.CodeOf(err)
		w.g.withheld = string(code) + ": the release rules cannot be asked, so windows are withheld"
		w.g.refused[code]++
		w.g.log.Error("the release rules cannot be asked; the window is withheld", "code", code, "decision", q.Stream.Decision)
	}
	return zones, err
}

package gateway

import (
	"strings"
	"time"

	"sluice/gateway/admin"
	"sluice/policy/compile"
)

// policyCheck is what is wrong with the policy, with its code; empty when
// nothing is.
func (g *Gateway) policyCheck() string {
	set, err := g.inForce()
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case set == nil && err != nil:
		return err.Error()
	case set == nil:
		return admin.NoPolicyYet
	case err != nil:
		return "the policy directory cannot be used; the policy in force goes on: " + err.Error()
	case g.withheld != "":
		return g.withheld
	case g.idle[set.Digest] != "":
		return g.idle[set.Digest]
	case len(set.Streams) == 0 && len(set.Elsewhere(g.cfg.Gateway)) > 0:
		return "" // which is said, see elsewhereNotes
	case len(set.Streams) == 0 && len(set.Decisions) == 0:
		return admin.NothingDecided
	case len(set.Streams) == 0:
		return "no decision is in force, so nothing flows"
	}
	return outOfTime(set, g.ingest.Report().Now)
}

// elsewhereNotes says which decisions are not run here, since all their zones are other
// gateways': that is as it should be, unless a name is wrong.
func (g *Gateway) elsewhereNotes() []string {
	g.mu.Lock()
	set := g.current
	g.mu.Unlock()
	if set == nil {
		return nil
	}
	list := set.Elsewhere(g.cfg.Gateway)
	if len(list) == 0 {
		return nil
	}
	note := "run by other gateways, since zones.geojson gives all their zones to them: decisions " + strings.Join(list, ", ")
	if len(set.Streams) == 0 {
		note += "; nothing is left for " + g.cfg.Gateway + ", so see whether its name is right in both places"
	}
	return []string{note}
}

// outOfTime says that no decision is in force today; empty while one is, and before
// the first tick of a simulated clock.
func outOfTime(set *compile.Set, now time.Time) string {
	if now.IsZero() {
		return ""
	}
	switch silence(set, true, now) {
	case "sunset":
		return "every decision is past its last day, so nothing flows; the council decides anew"
	case "not_yet":
		return admin.AllToCome
	}
	return ""
}

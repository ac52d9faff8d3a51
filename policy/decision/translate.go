package decision

import (
	"errors"
	"strconv"
	"time"

	"sluice/internal/civil"
	"sluice/plan"
	"sluice/register"
)

// Plan translates the document into the plan's vocabulary, for the time zone
// of the charter and with the units that the kinds give their fields. The rules
// decide whether and for which sensors it is used.
func (d *Document) Plan(loc *time.Location, kinds map[string]register.Kind) (*plan.Stream, error) {
	s := &plan.Stream{
		ID: d.Stream, Decision: d.Decision, Title: d.Title, Timezone: loc.String(),
		Every: d.Publish.Every, Lateness: d.Publish.Lateness, Forget: d.Forget,
		From: d.From.Start(loc).UTC(), Until: d.Until.End(loc).UTC(),
		Unit: d.Unit.plan(), Keep: d.Keep, Where: d.Where, Generalise: d.Generalise,
		Place: plan.Place(d.Place), Zones: d.AppliesTo.Zones,
		Protect: plan.Protect(d.Protect),
	}
	if d.Forget.IsZero() {
		s.Forget = civil.MustPeriod("P1D")
	}
	for _, b := range d.Publish.By {
		if b.Field != "" {
			s.Category = plan.Category{Field: b.Field, Values: b.Values}
		}
	}
	for _, m := range d.Publish.Measures {
		pm, err := m.plan(d.unitOf(m, kinds), s.Unit.StandsFor)
		if err != nil {
			return nil, err
		}
		s.Measures = append(s.Measures, pm)
	}
	return s, nil
}

// unitOf finds the unit of measurement of the field that m aggregates.
func (d *Document) unitOf(m Measure, kinds map[string]register.Kind) string {
	match := ofPattern.FindStringSubmatch(m.Of)
	if match == nil {
		return ""
	}
	for _, name := range d.AppliesTo.Kinds {
		for _, f := range kinds[name].Fields {
			if f.Name == match[2] {
				return f.Unit
			}
		}
	}
	return ""
}

func (u Unit) plan() plan.Unit {
	switch {
	case !u.None.none():
		return plan.Unit{StandsFor: "none"}
	case u.Sensor != "":
		return plan.Unit{Sensor: true, StandsFor: u.Sensor}
	}
	return plan.Unit{Field: u.Field, StandsFor: u.StandsFor}
}

func (m Measure) plan(fieldUnit, standsFor string) (plan.Measure, error) {
	out := plan.Measure{Name: m.Name, Unit: fieldUnit, Edges: m.Edges}
	switch len(m.Between) {
	case 0:
	case 2:
		out.Bounded, out.Low, out.High = true, m.Between[0], m.Between[1]
	default:
		return out, errors.New("between is [low, high]")
	}
	match := ofPattern.FindStringSubmatch(m.Of)
	switch {
	case m.Of == "count()":
		out.Of, out.Unit = plan.Count, "reading"
	case m.Of == "distinct(unit)":
		out.Of, out.Unit = plan.Distinct, standsFor
	case match != nil && (match[3] != "") == (match[1] == string(plan.Quantile)):
		out.Of, out.Field = plan.Aggregation(match[1]), match[2]
		if match[3] != "" {
			out.Q, _ = strconv.ParseFloat(match[3], 64) // the pattern lets numbers pass only
		}
		if match[1] == "share" {
			if len(m.Between) > 0 {
				return out, errors.New("a share is from 0 to 1; take between out")
			}
			out.Of, out.Share, out.Bounded, out.High, out.Unit = plan.Mean, true, true, 1, "share"
		}
		if out.Of == plan.Histogram {
			out.Unit = "reading"
			if standsFor != "none" {
				out.Unit = standsFor
			}
		}
	default:
		return out, errors.New("of is one of count(), distinct(unit), sum(FIELD), mean(FIELD), histogram(FIELD), " +
			"quantile(FIELD, 0.5), leq(FIELD), lday(FIELD), levening(FIELD), lnight(FIELD), lden(FIELD), share(FIELD)")
	}
	return out, nil
}

package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/decision"
)

// broke notes a way in which a decision breaks the charter, and what may be meant.
func (c *checker) broke(why compile.Reason, d *bundle.Decision) {
	args, of := c.args(why, d), ""
	near := func(named []string, known []string, name func(id string) string) {
		for _, x := range named[:min(len(named), maxNamed)] { // as many as are said; each is held against all
			if meant := nearest(x, known, name); meant != "" && !slices.Contains(known, x) && of == "" {
				of, args = "near", append(args, meant)
			}
		}
	}
	plain := func(id string) string { return id }
	switch why.Rule {
	case "C01":
		near([]string{d.Purpose}, c.charter.Purposes, plain)
	case "C02":
		near(d.AppliesTo.Kinds, slices.Sorted(maps.Keys(c.kinds)), plain)
	case "C03":
		near(d.AppliesTo.Zones, c.zones.IDs(), c.zones.Name)
	case "C13":
		near([]string{d.Stream.Unit.StandsFor}, c.unitsOf(d), plain)
	case "C06":
		if unit := d.Stream.Unit.StandsFor; c.charter.EpsilonPerDay[unit] <= 0 {
			of, args = "none", []any{unit, c.trees["charter.yaml"].At([]string{"epsilon_per_day"}, true).Line}
		} else if n, ok := args[len(args)-1].(int64); ok && n > 1 {
			of = "several"
		}
	}
	c.at(d.File, why.Rule, places[why.Rule], args...)
	f := &c.found[len(c.found)-1]
	f.Case = of
	// A budget that a draft uses up is the draft's mistake, not that of what is in force.
	f.Settled = (why.Rule == "C06" || why.Rule == "C07" || why.Rule == "C11") && c.voted(d.File, c.inForce) &&
		c.drafts()
}

// unitsOf are the units of privacy that a decision's kinds have.
func (c *checker) unitsOf(d *bundle.Decision) (list []string) {
	for _, id := range d.AppliesTo.Kinds {
		for _, u := range c.kinds[id].Units {
			list = append(list, u.StandsFor)
		}
	}
	return list
}

// drafts reports whether there is a decision that is not in force as it is.
func (c *checker) drafts() bool {
	for file := range c.decisions {
		if !c.voted(file, c.inForce) {
			return true
		}
	}
	return false
}

// nearest is the known id that a name may mean: the same but for capitals, blanks or
// accents, what is called so, or what differs in a letter or two.
func nearest(text string, known []string, name func(id string) string) string {
	for _, id := range known {
		if same := folded(text); same == folded(id) || same == folded(name(id)) {
			return id
		}
	}
	if id := yamldoc.Nearest(text, known); id != "" {
		return id
	}
	for _, id := range known {
		if yamldoc.Nearest(folded(text), []string{folded(name(id))}) != "" {
			return id
		}
	}
	return ""
}

var accents = strings.NewReplacer("à", "a", "á", "a", "è", "e", "é", "e", "í", "i", "ï", "i",
	"ò", "o", "ó", "o", "ú", "u", "ü", "u", "ç", "c", "ñ", "n", " ", "-", "_", "-", "'", "", "’", "")

func folded(text string) string { return accents.Replace(strings.ToLower(text)) }

// maxNamed is how many names a text lists.
const maxNamed = 20

// some are names in a row, at most maxNamed of them.
func some(names []string) string {
	if len(names) > maxNamed {
		return strings.Join(names[:maxNamed], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// spenders are the decisions that share a day's budget with one, itself among them, each
// with what it costs a day.
func (c *checker) spenders(d *bundle.Decision) string {
	var list []*decision.Document
	for _, x := range c.decisions {
		if unitOf(x) == d.Stream.Unit.StandsFor && x.From.String() <= d.Until.String() &&
			d.From.String() <= x.Until.String() {
			list = append(list, x)
		}
	}
	slices.SortFunc(list, func(a, b *decision.Document) int { return cmp.Compare(a.Decision, b.Decision) })
	var out []string
	for _, x := range list {
		out = append(out, fmt.Sprintf("%s %v", x.Decision, x.Protect.Epsilon*float64(epochs(x))))
	}
	return some(out)
}

// epochs are those of an ordinary day.
func epochs(d *decision.Document) int64 {
	if d.Forget.IsZero() {
		return 1
	}
	return max(1, int64(day/d.Forget.Nominal()))
}

// unitOf returns a decision's unit of privacy.
func unitOf(d *decision.Document) string {
	return cmp.Or(d.Unit.StandsFor, d.Unit.Sensor, "none")
}

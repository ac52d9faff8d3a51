package check

import (
	"slices"
	"strconv"
	"strings"

	"sluice/plan"
	"sluice/policy/decision"
)

// meant finds what a gateway would take as it stands, and hardly anybody means.
func (c *checker) meant(file string, d *decision.Document) {
	if _, one := d.Unit.None.One(); one && c.charter != nil && len(c.charter.City.Languages) > 1 {
		langs := c.charter.City.Languages
		c.at(file, "W55", "unit/none", strings.Join(langs, ", "), example3(langs))
	}
	for i, m := range d.Publish.Measures {
		place := "publish/measures/" + strconv.Itoa(i)
		c.limits(file, place, d, m)
		of, rest, _ := strings.Cut(m.Of, "(")
		name, _, _ := strings.Cut(strings.TrimSuffix(rest, ")"), ",")
		level := plan.Aggregation(of)
		if level.Daily() && d.Publish.Every.String() == "PT24H" {
			c.at(file, "W41", "publish/every", m.Name)
		}
		for _, id := range d.AppliesTo.Kinds {
			for _, f := range c.kinds[id].Fields {
				if f.Name != name {
					continue
				}
				switch {
				case level.Level() && f.Unit != "" && !strings.HasPrefix(strings.ToLower(f.Unit), "db"):
					c.at(file, "D36", place+"/of", m.Name, f.Name, f.Unit)
				case level.Level() && f.Unit == "":
					c.at(file, "W42", place+"/of", m.Name, f.Name)
				}
				if len(m.Between) == 2 && len(f.Valid) == 2 &&
					(f.Valid[1] < m.Between[0] || f.Valid[0] > m.Between[1]) {
					c.at(file, "D37", place+"/between", m.Name, plan.Plain(f.Valid[0]), plan.Plain(f.Valid[1]))
				}
			}
		}
	}
}

// lists finds names that stand twice in the charter's lists, kinds in two that contradict
// each other, floors that no ordinary decision meets, and another city's id than in force.
func (c *checker) lists() {
	const file = "charter.yaml"
	ch := c.charter
	for place, list := range map[string][]string{
		"city/languages": ch.City.Languages, "purposes": ch.Purposes, "forbidden_classes": ch.ForbiddenClasses,
		"kinds_about_people": ch.KindsAboutPeople, "kinds_not_about_people": ch.KindsNotAboutPeople,
	} {
		c.twice(file, place, list)
	}
	seen := make(map[plan.Floor]bool)
	for i, f := range ch.Floors {
		if seen[f] {
			c.at(file, "D10", "floors/"+strconv.Itoa(i), f)
		}
		seen[f] = true
	}
	for i, id := range ch.KindsNotAboutPeople {
		if slices.Contains(ch.KindsAboutPeople, id) {
			c.at(file, "K41", "kinds_not_about_people/"+strconv.Itoa(i), id)
		}
	}
	if c.inForce != nil && ch.City.ID != c.inForce.Charter.City.ID {
		c.at(file, "K42", "city/id", ch.City.ID, c.inForce.Charter.City.ID)
	}
	if len(ch.Floors) > 0 && !ch.Allows(plan.Exact) {
		c.at(file, "W43", "floors")
	}
}

func rises(edges []float64) bool {
	for i := 1; i < len(edges); i++ {
		if edges[i] <= edges[i-1] {
			return false
		}
	}
	return true
}

package check

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/yamldoc"
	"sluice/plan"
	"sluice/policy/ballot"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/decision"
	"sluice/register"
)

const day = 24 * time.Hour

// document finds contradictions inside one decision that has the right shape.
func (c *checker) document(file string) {
	var d decision.Document
	if err := yamldoc.Decode(file, c.files[file], &d); err != nil {
		c.raw(file, "D99", err)
		return
	}
	every, forget := d.Publish.Every.Nominal(), d.Forget.Nominal()
	if d.Forget.IsZero() {
		forget = day
	}
	if every < time.Second || every > day || day%every != 0 {
		c.at(file, "D01", "publish/every")
	}
	if d.Publish.Lateness.Nominal() > day {
		c.at(file, "D02", "publish/lateness")
	}
	if c.charter != nil {
		if loc, err := c.charter.Location(); err == nil && !d.From.Start(loc).Before(d.Until.End(loc)) {
			c.at(file, "D03", "until")
		}
	}
	about := len(d.Unit.None) == 0
	if about && every > 0 && (forget < every || forget > day || day%forget != 0 || forget%every != 0) {
		c.at(file, "D04", "forget_after")
	}
	if about && reflect.DeepEqual(d.Protect, decision.Protect{}) {
		c.at(file, "D12", "")
	}
	for i, b := range d.Blackouts {
		if !b.From.Before(b.Until) {
			c.at(file, "D43", "blackouts/"+strconv.Itoa(i)+"/until")
		}
	}
	c.consultation(file, &d)
	c.where(file, &d)
	c.meant(file, &d)
	c.retained(file, &d)
	c.owners(file, &d)
	c.membership(file, &d)
	c.twice(file, "applies_to/zones", d.AppliesTo.Zones)
	c.twice(file, "applies_to/kinds", d.AppliesTo.Kinds)
	c.twice(file, "keep", d.Keep)
	c.by(file, &d)
	names := make([]string, len(d.Publish.Measures))
	for i, m := range d.Publish.Measures {
		names[i] = m.Name
		c.measure(file, "publish/measures/"+strconv.Itoa(i), m, about, every)
	}
	c.twice(file, "publish/measures", names)
	for i, g := range d.Generalise {
		if !slices.IsSorted(g.To) {
			c.at(file, "D11", "generalise/"+strconv.Itoa(i)+"/to")
		}
	}
}

// owners finds parts of the bound that cannot be.
func (c *checker) owners(file string, d *decision.Document) {
	const place = "protect/by_owner"
	parts, sum := d.Protect.ByOwner, int64(0)
	if len(parts) == 0 {
		return
	}
	for _, n := range parts {
		sum += n
	}
	switch most := d.Protect.MaxContributions; {
	case d.Unit.Field == "":
		c.at(file, "D21", place)
	case sum > most:
		c.at(file, "D22", place, sum, most)
	}
	for i, m := range d.Publish.Measures {
		if strings.HasPrefix(m.Of, "sum(") && len(m.Between) == 2 && m.Between[0] < 0 && m.Between[1] > 0 {
			c.at(file, "D23", "publish/measures/"+strconv.Itoa(i)+"/between", m.Name)
		}
	}
}

// membership can be public of homes only, where they are registered.
func (c *checker) membership(file string, d *decision.Document) {
	if d.Protect.Membership == "" {
		return
	}
	if d.Unit.Sensor != "home" || d.Place.Lat != "" || d.Protect.Floor == plan.Noisy {
		c.at(file, "D19", "protect/membership")
	}
	for i, m := range d.Publish.Measures {
		if m.Of == "distinct(unit)" {
			c.at(file, "D20", "publish/measures/"+strconv.Itoa(i), m.Name)
		}
	}
}

func (c *checker) twice(file, place string, list []string) {
	seen := make(map[string]bool)
	for i, x := range list {
		if seen[x] {
			c.at(file, "D10", place+"/"+strconv.Itoa(i), x)
		}
		seen[x] = true
	}
}

func (c *checker) by(file string, d *decision.Document) {
	fields, cells := 0, len(d.AppliesTo.Zones)
	for i, b := range d.Publish.By {
		if b.Field == "" {
			continue
		}
		if fields++; fields > 1 {
			c.at(file, "D14", "publish/by/"+strconv.Itoa(i))
		}
		cells *= max(1, len(b.Values))
		c.twice(file, "publish/by/"+strconv.Itoa(i)+"/values", b.Values)
	}
	if cells > 10_000 {
		c.at(file, "D15", "publish/by", cells)
	}
}

func (c *checker) measure(file, place string, m decision.Measure, about bool, every time.Duration) {
	if len(m.Between) == 2 && m.Between[0] > m.Between[1] {
		c.at(file, "D08", place+"/between")
	}
	histogram := strings.HasPrefix(m.Of, "histogram(")
	of, _, _ := strings.Cut(m.Of, "(")
	level := plan.Aggregation(of)
	switch {
	case level.Level() && about:
		c.at(file, "D31", place+"/of", m.Name)
	case level.Level() &&
		(len(m.Between) != 2 || !(m.Between[1]-m.Between[0] > 0 && m.Between[1]-m.Between[0] <= plan.MaxLevels)):
		c.at(file, "D32", place, m.Name)
	case of == "share" && len(m.Between) > 0:
		c.at(file, "D34", place+"/between", m.Name)
	case level.Daily() && every != day:
		c.at(file, "D33", place+"/of", m.Name)
	case histogram && len(m.Edges) < 2, !histogram && len(m.Edges) > 0, histogram && len(m.Between) > 0:
		c.at(file, "D18", place, m.Name)
	case !rises(m.Edges):
		c.at(file, "D11", place+"/edges")
	case strings.HasPrefix(m.Of, "quantile(") && len(m.Between) != 2:
		c.at(file, "D07", place, m.Name)
	case m.Of == "distinct(unit)" && !about:
		c.at(file, "D09", place+"/of")
	case m.Of == "count()" && about &&
		(len(m.Between) != 2 || m.Between[0] != 0 || m.Between[1] < 1 || m.Between[1] != float64(int64(m.Between[1]))):
		c.at(file, "D13", place, m.Name)
	case about && (strings.HasPrefix(m.Of, "sum(") || strings.HasPrefix(m.Of, "mean(")) && len(m.Between) != 2:
		c.at(file, "D07", place, m.Name)
	}
}

// charterAndRoster finds a charter that nobody could meet, and a roster that could not vote.
func (c *checker) charterAndRoster() {
	const file = "charter.yaml"
	ch := c.charter
	for unit, most := range ch.EpsilonPerDay {
		if most <= 0 {
			c.at(file, "K05", "epsilon_per_day/"+unit, unit)
		}
	}
	if len(ch.EpsilonPerDay) == 0 {
		c.at(file, "K05", "epsilon_per_day", "device")
	}
	if ch.MaxContributions < 1 {
		c.at(file, "K06", "max_contributions")
	}
	if ch.DeltaPerDay <= 0 {
		c.at(file, "K07", "delta_per_day")
	}
	if ch.SunsetMax.Nominal() < day {
		c.at(file, "K08", "sunset_max")
	} else if int64(ch.NoticeDays) >= int64(ch.SunsetMax.Nominal()/day) {
		c.at(file, "K11", "notice_days", ch.NoticeDays)
	}
	if slices.Contains(ch.ForbiddenClasses, "identifier") && len(ch.KindsAboutPeople) > 0 {
		c.at(file, "K12", "forbidden_classes")
	}
	for i, id := range ch.KindsAboutPeople {
		k, known := c.kinds[id]
		if c.kinds != nil && !known {
			c.at(file, "K09", "kinds_about_people/"+strconv.Itoa(i), id)
		} else if known && len(k.Units) == 0 {
			c.at(file, "K10", "kinds_about_people/"+strconv.Itoa(i), id)
		}
	}
	for i, id := range ch.KindsNotAboutPeople {
		if _, known := c.kinds[id]; c.kinds != nil && !known {
			c.at(file, "K09", "kinds_not_about_people/"+strconv.Itoa(i), id)
		}
	}
	c.quorums()
	c.lists()
	for id, k := range c.kinds {
		for i, u := range k.Units {
			identifies := func(f register.Field) bool { return f.Name == u.Field && f.Class == "identifier" }
			if u.Field != "" && !slices.ContainsFunc(k.Fields, identifies) {
				c.at("kinds.yaml", "K13", "kinds/"+id+"/units/"+strconv.Itoa(i), u.Field)
			}
		}
	}
}

// valid notes bounds of fields that cannot be used, each under its line.
func (c *checker) valid() {
	var file struct {
		Kinds map[string]register.Kind `yaml:"kinds"`
	}
	if c.bad["kinds.yaml"] || yamldoc.Decode("kinds.yaml", c.files["kinds.yaml"], &file) != nil {
		return // said where it is parsed
	}
	for id, k := range file.Kinds {
		for i, f := range k.Fields {
			if f.CheckValid() != nil {
				c.at("kinds.yaml", "K14", fmt.Sprintf("kinds/%s/fields/%d/valid", id, i), f.Name)
				c.bad["kinds.yaml"] = true
			}
		}
	}
}

// keys notes members' keys that are none, each under its line.
func (c *checker) keys() {
	tree := c.trees["council.yaml"]
	if tree == nil || c.bad["council.yaml"] {
		return
	}
	raw, err := tree.Value()
	var file struct {
		Members []struct {
			ID   string
			Keys []string
		}
	}
	if err != nil || json.Unmarshal(raw, &file) != nil {
		return // said by its schema
	}
	seen, owners := make(map[string]bool), make(map[ballot.Key]string)
	for i, m := range file.Members {
		if seen[m.ID] {
			c.at("council.yaml", "D10", fmt.Sprintf("members/%d/id", i), m.ID)
			c.bad["council.yaml"] = true
		}
		seen[m.ID] = true
		for j, line := range m.Keys {
			key, err := ballot.ParseKey(line)
			if other := owners[key]; err == nil && other != "" {
				c.at("council.yaml", "K04", fmt.Sprintf("members/%d/keys/%d", i, j), m.ID, other)
				c.found[len(c.found)-1].Case = "same"
				c.bad["council.yaml"] = true
			}
			owners[key] = m.ID
			if err != nil {
				c.at("council.yaml", "K04", fmt.Sprintf("members/%d/keys/%d", i, j), m.ID)
				if !strings.HasPrefix(err.Error(), "not a public key") {
					c.found[len(c.found)-1].Case = "kind"
				}
				c.bad["council.yaml"] = true
			}
		}
	}
}

// places are where in a decision the charter's rules bite.
var places = map[string]string{
	"C01": "purpose", "C02": "applies_to/kinds", "C03": "applies_to/zones", "C04": "unit", "C05": "protect/min_units",
	"C06": "protect/epsilon", "C07": "protect/delta", "C08": "protect/max_contributions", "C09": "until", "C10": "keep",
	"C11": "stream", "C12": "blackouts", "C13": "unit", "C14": "protect/min_units", "C15": "protect/floor",
}

// args are what a rule's text names: the charter's floor, the unknown name.
func (c *checker) args(why compile.Reason, d *bundle.Decision) []any {
	switch why.Rule {
	case "C01":
		return []any{strings.Join(c.charter.Purposes, ", ")}
	case "C02":
		return []any{missing(d.AppliesTo.Kinds, slices.Sorted(maps.Keys(c.kinds))),
			some(slices.Sorted(maps.Keys(c.kinds)))}
	case "C03":
		return []any{missing(d.AppliesTo.Zones, c.zones.IDs()), some(c.zones.IDs())}
	case "C04":
		aboutNobody := func(k string) bool { return !c.charter.AboutPeople(k, c.kinds[k]) }
		return []any{strings.Join(slices.DeleteFunc(slices.Clone(d.AppliesTo.Kinds), aboutNobody), ", ")}
	case "C05":
		return []any{c.charter.MinUnits}
	case "C06":
		return []any{d.Stream.Unit.StandsFor, c.charter.EpsilonPerDay[d.Stream.Unit.StandsFor], d.EpochsPerDay(),
			c.spenders(d), (&bundle.Policy{Zones: c.zones}).GatewaysOf(d.AppliesTo.Zones)}
	case "C07":
		return []any{d.Stream.Unit.StandsFor, c.charter.DeltaPerDay}
	case "C08":
		return []any{c.charter.MaxContributions}
	case "C09":
		days := func(n time.Duration) int64 { return int64(n.Round(day) / day) }
		return []any{c.charter.SunsetMax, days(c.charter.SunsetMax.Nominal()), days(d.Stream.Until.Sub(d.Stream.From))}
	case "C10":
		return []any{strings.Join(c.charter.ForbiddenClasses, ", ")}
	case "C12":
		return []any{c.charter.BlackoutMax}
	case "C13":
		return []any{d.Stream.Unit.StandsFor}
	case "C15":
		return []any{cmp.Or(d.Protect.Floor, plan.Exact), fmt.Sprint(c.charter.Allowed())}
	}
	return nil
}

func missing(named, known []string) string {
	var out []string
	for _, x := range named {
		if !slices.Contains(known, x) {
			out = append(out, x)
		}
	}
	return strings.Join(out, ", ")
}

// misfit is where in a decision a sort of sensor does not fit.
func (c *checker) misfit(rule string, d *bundle.Decision, kind string) string {
	field := func(bad func(name string, f *register.Field) bool) string {
		for i, name := range d.Keep {
			var found *register.Field
			fields := c.kinds[kind].Fields
			if j := slices.IndexFunc(fields, func(f register.Field) bool { return f.Name == name }); j >= 0 {
				found = &fields[j]
			}
			if bad(name, found) {
				return "keep/" + strconv.Itoa(i)
			}
		}
		return "keep"
	}
	class := func(list ...string) string {
		return field(func(name string, f *register.Field) bool {
			used := name == d.Unit.Field || name == d.Place.Lat || name == d.Place.Lon
			return f != nil && slices.Contains(list, f.Class) && !used
		})
	}
	switch rule {
	case "P01":
		return field(func(_ string, f *register.Field) bool { return f == nil })
	case "P03":
		return "unit"
	case "P04":
		return class("identifier")
	case "P05":
		return class("free-text", "credential")
	case "P06":
		return class("location")
	case "P07":
		return "place"
	case "P08", "P09", "P31":
		return "publish/measures"
	}
	return "keep"
}

package diff

import (
	"slices"
	"strings"
	"testing"

	"sluice/policy/bundle"
)

// TestOwnersOrder: parts protect more than a bound that all share, and smaller ones more
// than larger; what an owner loses is an end.
func TestOwnersOrder(t *testing.T) {
	const shared = ""
	for _, c := range []struct {
		old, new string
		want     Mark
		ends     bool
	}{
		{shared, "a: 1, b: 1", Stronger, true}, {"a: 1, b: 1", shared, Weaker, false},
		{"a: 2", "a: 1", Stronger, false}, {"a: 1", "a: 2", Weaker, false}, {"a: 1, b: 1", "a: 2", Weaker, true},
		{"a: 1, b: 1", "a: 1", Stronger, true}, {"a: 1", "a: 1, b: 1", Weaker, false}, {"a: 1", "c: 1", Weaker, true},
	} {
		with := func(parts string) string {
			if parts == shared {
				return plain
			}
			text := strings.Replace(plain, "max_contributions: 2", "max_contributions: 2, by_owner: {"+parts+"}", 1)
			if text == plain {
				t.Fatal("the decision has another bound")
			}
			return text
		}
		list := between(policyOf(t, with(c.old)), policyOf(t, with(c.new)))
		at := slices.IndexFunc(list, func(x Change) bool { return x.Key == "protect.by_owner" })
		if len(list) != 1 || at < 0 || list[at].Mark != c.want || list[at].Ends != c.ends {
			t.Errorf("{%s} to {%s}: %+v; want %s, an end: %v", c.old, c.new, list, c.want, c.ends)
		}
	}
}

// TestMembershipIsCompared: that it is public who takes part protects homes less.
func TestMembershipIsCompared(t *testing.T) {
	of := func(more string) *bundle.Policy {
		p := policyOf(t,
			strings.NewReplacer("{field: device, stands_for: device}", "{sensor: home}", "keep: [device, speed]",
				"keep: [speed]",
				`of: "distinct(unit)"`, `of: "sum(speed)", between: [0, 9]`, "max_contributions: 2",
				"max_contributions: 2"+more).Replace(plain))
		return p
	}
	for _, c := range []struct {
		old, new string
		want     Mark
	}{{"", ", membership: public", Weaker}, {", membership: public", "", Stronger}} {
		list := between(of(c.old), of(c.new))
		if len(list) != 1 || list[0].Key != "protect.membership" || list[0].Mark != c.want {
			t.Errorf("%q to %q: %+v; want %s", c.old, c.new, list, c.want)
		}
	}
}

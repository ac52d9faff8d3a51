package roster

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestFollows: a roster that is older, another one of the same version, or takes back what a front has committed to,
// does not come after another one.
func TestFollows(t *testing.T) {
	_, front := pair(t, "front")
	_, other := pair(t, "other")
	_, worker := pair(t, "worker")
	make := func(version int, members ...string) *Roster {
		t.Helper()
		text := fmt.Sprintf("version: %d\nmembers:\n", version)
		for _, m := range members {
			text += "  - {" + m + "}\n"
		}
		r, err := Parse("roster.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	is := func(name, key, roles string) string {
		return fmt.Sprintf("name: %s, key: %s, roles: %s", name, key, roles)
	}
	w := is("w", worker, "[worker]")
	first := make(5, is("f", front, "[front]"), w)
	left := make(6, is("f", front, "[], front_until: 2026-11-27"), w)
	now := time.Date(2026, 11, 27, 23, 0, 0, 0, time.UTC)
	long := now.AddDate(3, 0, 0)
	for name, c := range map[string]struct {
		before, next *Roster
		at           time.Time
		want         string
	}{
		"the same":               {first, first, now, ""},
		"it leaves":              {first, left, now, ""},
		"another name":           {first, make(6, is("g", front, "[front]"), w), now, ""},
		"others":                 {first, make(6, is("f", front, "[front]"), is("o", other, "[front]")), now, ""},
		"a worker from now on":   {first, make(6, is("f", front, "[worker], front_until: 2026-12-31"), w), now, ""},
		"a front again":          {left, first, now, "version 5"},
		"a front again, later":   {left, make(7, is("f", front, "[front]"), w), now, ""},
		"long gone":              {left, make(7, w), long, ""},
		"older":                  {first, make(4, is("f", front, "[front]"), w), now, "version 4"},
		"another one":            {first, make(5, is("f", front, "[front]")), now, "version 5"},
		"taken out":              {first, make(6, w), now, "f was a front"},
		"with another key":       {first, make(6, is("f", other, "[front]"), w), now, "f was a front"},
		"without a day":          {first, make(6, is("f", front, "[]"), w), now, "front_until: 2026-11-27"},
		"as of yesterday":        {first, make(6, is("f", front, "[], front_until: 2026-11-26"), w), now, "2026-11-27"},
		"as of yesterday, later": {left, make(7, is("f", front, "[], front_until: 2026-11-26"), w), now, "2026-11-27"},
		"forgotten":              {left, make(7, w), now, "f was a front"},
	} {
		err := c.next.Follows(c.before, c.at)
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

package register

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// pointers looks at a map as a whole: of two fields that are looked for in one place at most
// one is found.
func (c *checker) pointers(n int) {
	m := c.reg.Sensors[n].Map
	// Whatever is inside a place comes right behind it.
	fields := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(strings.Compare(m[a]+"/", m[b]+"/"), strings.Compare(a, b))
	})
	outer := ""
	for i, field := range fields {
		p := m[field]
		switch {
		case i > 0 && p == m[outer]:
			c.say(n, "map: %s and %s are both looked for at %s; give each field a pointer of its own", quote(outer),
				quote(field), quote(p))
		case i > 0 && strings.HasPrefix(p, m[outer]+"/"):
			c.say(n, "map: %s is looked for at %s, inside which %s is looked for too, and what has others inside is "+
				"no value; mend one of the two pointers", quote(outer), quote(m[outer]), quote(field))
		default:
			outer = field
		}
		switch {
		case strings.HasSuffix(p, "/"):
			c.note(n, "map: the pointer of %s ends in /, which is a key without a name; where that is not meant, "+
				"take the / out", quote(field))
		case strings.Contains(p+"/", "/-/"):
			c.note(n, "map: - in the pointer of %s is a key of that name and no place in an array; where one is "+
				"meant, write its number, from 0", quote(field))
		}
	}
}

// note is say of what may be meant.
func (c *checker) note(n int, format string, args ...any) {
	c.say(n, format, args...)
	c.found[len(c.found)-1].Note = true
}

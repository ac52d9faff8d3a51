package check

import (
	"strconv"

	"sluice/internal/yamldoc"

	"sluice/internal/pattern"
)

// ofKind is how errors of package register say which kind they are about, and which field.
var ofKind = pattern.New(`^(?:the )?kind (?:"((?:[^"\\\\]|\\\\.)*)"|([A-Za-z0-9._-]+))(?:: field ([^ :]+))?`)

// kindAt is where a kind, or a field of it, stands; at its second place for one that is there
// twice.
func (c *checker) kindAt(kind, field string) yamldoc.Position {
	tree := c.trees["kinds.yaml"]
	if tree == nil {
		return yamldoc.Position{Line: 1, Column: 1}
	}
	if plain, err := strconv.Unquote(`"` + kind + `"`); err == nil {
		kind = plain
	}
	at := tree.At([]string{"kinds", kind}, true)
	for i := 0; field != ""; i++ {
		place := []string{"kinds", kind, "fields", strconv.Itoa(i), "name"}
		name, there := c.value("kinds.yaml", place)
		if !there {
			return at
		}
		if name == field {
			at = tree.At(place, false)
		}
	}
	return at
}

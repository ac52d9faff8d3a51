package check

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"sluice/policy/rules"
)

// ownRules warns of a city's rules/ that differ from the program's. A copy that was made once
// and forgotten goes on deciding as it did when the program's rules have long been corrected.
func (c *checker) ownRules() {
	for _, file := range slices.Sorted(maps.Keys(c.files)) {
		name, ours := strings.CutPrefix(file, "rules/")
		if !ours || strings.HasSuffix(name, "_test.rego") {
			continue
		}
		theirs, err := rules.FS.ReadFile(name)
		if err != nil || !bytes.Equal(theirs, c.files[file]) {
			c.add(Finding{File: file, Line: 1, Column: 1, Rule: "W44"})
		}
	}
}

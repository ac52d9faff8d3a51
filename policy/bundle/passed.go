package bundle

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sluice/internal/pattern"
)

// MaxPassed is how many files that are passed over are named at most.
const MaxPassed = 20

// ending is what becomes part of a name where somebody may have meant a policy's.
var ending = pattern.New(`(?i)\.(ya?ml|rego|geojson)(\.txt)?$`)

// Passed is a file that is no part of the policy by its name only.
type Passed struct{ File, Meant string }

// PassedOver are the files of a policy directory that its author seems to have meant to
// be part of the policy, and that are none since their names or those of their directories
// are written otherwise: decisions/x.yml, tests/x.YAML, Charter.yaml.
func PassedOver(dir string) (list []Passed) {
	for _, sub := range folders(dir) {
		entries, _ := os.ReadDir(filepath.Join(dir, sub)) // what cannot be read is said where it is read
		for _, e := range entries {
			name := path.Join(sub, e.Name())
			if e.IsDir() || strings.HasPrefix(e.Name(), ".") || meant(name) || len(list) == MaxPassed {
				continue
			}
			if to := asMeant(name); meant(to) {
				list = append(list, Passed{name, to})
			}
		}
	}
	return list
}

// folders are the directory itself and those in it that hold parts of a policy.
func folders(dir string) []string {
	out := []string{""}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() && slices.Contains([]string{"decisions", "tests", "rules", "local"}, strings.ToLower(e.Name())) {
			out = append(out, e.Name())
		}
	}
	return out
}

// asMeant is the name with the ending that a policy's files have, in lower case where the
// case counts.
func asMeant(name string) string {
	dir, file := path.Split(name)
	dir = strings.ToLower(dir)
	end := ending.FindStringSubmatch(file)
	if end == nil {
		return name
	}
	stem, kind := file[:len(file)-len(end[0])], ".yaml"
	switch strings.ToLower(end[1]) {
	case "rego":
		kind = ".rego"
	case "geojson":
		kind = ".geojson"
	}
	if dir == "" {
		stem = strings.ToLower(stem)
	}
	return dir + stem + kind
}

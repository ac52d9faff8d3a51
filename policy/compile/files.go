// Package compile makes a policy ready to run: it reads a policy directory, has the
// council's rules (Rego, evaluated by OPA) turn its decisions into plans, and answers the
// release rules' questions.
//
// A policy directory holds council.yaml, charter.yaml, kinds.yaml,
// zones.geojson, decisions/*.yaml and optionally rules/*.rego and local/*.rego.
// Without rules/ the copy in this binary is used.
//
// Nothing is permitted by default: what cannot be read, compiled or evaluated
// gives no plans at all, and a decision that breaks the charter gives none,
// while the others run.
package compile

import (
	"errors"
	"fmt"
	"io/fs"

	"sluice/policy/bundle"
	"sluice/policy/rego"
)

// ReadDir reads a policy directory; an error has a Code.
func ReadDir(dir string) (bundle.Files, error) {
	files, err := bundle.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, rego.WithCode(rego.NoPolicy,
			fmt.Errorf("the policy directory %s is not there, so nothing flows", dir))
	}
	return files, rego.WithCode(rego.Unreadable, err)
}

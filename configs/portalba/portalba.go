// Package portalba is the example city, as files that a city copies and edits: its policy directory
// and its register of sensors. The demo runs them.
package portalba

import (
	"embed"
	"io/fs"

	"sluice/policy/bundle"
)

//go:embed policy
var files embed.FS

// Register is the register of sensors, register.yaml.
//
//go:embed register.yaml
var Register []byte

// Streets is the city's ground for its map, streets.geojson: streets, squares, water, parks and
// buildings.
//
//go:embed streets.geojson
var Streets []byte

// Policy is a copy of the policy directory.
func Policy() bundle.Files {
	dir, err := fs.Sub(files, "policy")
	if err != nil {
		panic("portalba: " + err.Error())
	}
	policy, err := bundle.ReadFS(dir)
	if err != nil {
		panic("portalba: the embedded policy cannot be read")
	}
	return policy
}

package activation

import (
	"sluice/gateway/ledger"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/council"
)

// candidate is a policy that is to come into force: the files of a directory, or a
// verified motion.
type candidate struct {
	files bundle.Files
	// motion is what the council has enacted, and raw its file; nil for a directory.
	motion *council.Enacted
	raw    []byte
}

// record is what the ledger keeps of a candidate.
func (c candidate) record(set *compile.Set) (ledger.Version, error) {
	if c.motion != nil {
		return ledger.Version{Digest: set.Digest, Packed: []byte{}, Motion: c.raw}, nil
	}
	packed, err := set.Files.Pack()
	return ledger.Version{Digest: set.Digest, Packed: packed}, err
}

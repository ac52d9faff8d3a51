package table

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"time"

	"sluice/store"
)

// Digest is the SHA-256 of the text of rows, as they come.
type Digest struct {
	rows int64
	sum  hash.Hash
	text *Writer
}

// NewDigest is the digest of no rows yet, with local times of loc.
func NewDigest(loc *time.Location) *Digest {
	sum := sha256.New()
	return &Digest{sum: sum, text: NewWriter(sum, loc)}
}

// Write adds an observation.
func (d *Digest) Write(o *store.Observation) error {
	d.rows++
	return d.text.Write(o)
}

// Sum is how many rows there were, and the digest in hex.
func (d *Digest) Sum() (rows int64, sha string, err error) {
	err = d.text.Flush()
	return d.rows, hex.EncodeToString(d.sum.Sum(nil)), err
}

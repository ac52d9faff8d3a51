package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
)

// Digest commits to what one window released: the SHA-256, in hex, of one line per
// observation, sorted by cell and measure, each ended by a line feed:
//
//	cell TAB measure TAB status TAB reason TAB value TAB low TAB high
//
// Numbers are written without exponent, in the fewest digits that read back as the
// same float64; what was not published is empty.
func Digest(list []Observation) string {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Observation) int {
		return cmp.Or(cmp.Compare(a.Cell, b.Cell), cmp.Compare(a.Measure, b.Measure))
	})
	sum := sha256.New()
	for _, o := range list {
		fmt.Fprintf(sum, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o.Cell, o.Measure, o.Status, o.Reason, plain(o.Value),
			plain(o.Low), plain(o.High))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func plain(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

package books

import (
	"encoding/json"
	"fmt"
)

// Chained follows the chain of a growing file, ledger.jsonl or releases.jsonl, a
// line at a time: each names the SHA-256 of the one before, and they are numbered
// without a gap. The zero value is before the first line.
type Chained struct {
	Name string // of the file, for errors
	n    int64
	prev string // hash of the last line
}

// After continues behind a line that is known to be correct.
func (c *Chained) After(n int64, line string) { c.n, c.prev = n, Hash(line) }

// N is the number of lines so far.
func (c *Chained) N() int64 { return c.n }

// Next checks the next line. Errors name the file and the line.
func (c *Chained) Next(line string) error {
	c.n++
	var e struct {
		N          int64  `json:"n"`
		PrevSHA256 string `json:"prev_sha256"`
	}
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		return fmt.Errorf("%s, line %d: it is no JSON object", c.Name, c.n)
	}
	if e.N != c.n || e.PrevSHA256 != c.prev {
		return fmt.Errorf("%s, line %d: it does not follow from the line before", c.Name, c.n)
	}
	c.prev = Hash(line)
	return nil
}

package books

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Source is where books are read from: a Dir, a Mirror, or a union of several.
type Source interface {
	Get(name string) ([]byte, error)
}

// Reader reads the books' files. A file that is not there yet reads as empty.
type Reader struct {
	Source Source
	// Kept caches what takes long to parse; or nil.
	Kept *Kept
}

// joint is a Source that combines the books of several gateways.
type joint interface {
	City() (City, error)
	Streams() ([]Stream, error)
	Decisions() ([]Decision, error)
	Register() (Register, error)
	Gateways() []Gateway
	First() Source
}

// First is the source of the first gateway's books, readable or not.
func (r Reader) First() Source {
	if j, several := r.Source.(joint); several {
		return j.First()
	}
	return r.Source
}

// Gateway is one gateway and its books.
type Gateway struct {
	Name   string // empty where the books do not say it
	Source Source
}

// Gateways lists the gateways whose books are read: one, unless the source combines
// several.
func (r Reader) Gateways() ([]Gateway, error) {
	if j, several := r.Source.(joint); several {
		return j.Gateways(), nil
	}
	city, err := r.City()
	return []Gateway{{city.Gateway, r.Source}}, err
}

// Parts lists the books of each gateway: one, unless the source combines several.
func (r Reader) Parts() []Reader {
	j, several := r.Source.(joint)
	if !several {
		return []Reader{r}
	}
	var list []Reader
	for _, g := range j.Gateways() {
		list = append(list, Reader{Source: g.Source})
	}
	return list
}

// City reads city.json.
func (r Reader) City() (City, error) {
	if j, ok := r.Source.(joint); ok {
		return j.City()
	}
	return read[City](r, "city.json")
}

// Streams reads streams.json.
func (r Reader) Streams() ([]Stream, error) {
	if j, ok := r.Source.(joint); ok {
		return j.Streams()
	}
	return read[[]Stream](r, "streams.json")
}

// Decisions reads decisions.json.
func (r Reader) Decisions() ([]Decision, error) {
	if j, ok := r.Source.(joint); ok {
		return j.Decisions()
	}
	return read[[]Decision](r, "decisions.json")
}

// Register reads register.json. The result may be shared; do not modify it.
func (r Reader) Register() (Register, error) {
	if j, ok := r.Source.(joint); ok {
		return j.Register()
	}
	if r.Kept != nil {
		return r.Kept.register(r)
	}
	return read[Register](r, "register.json")
}

// Zones reads zones.geojson as it is.
func (r Reader) Zones() ([]byte, error) { return r.Source.Get("zones.geojson") }

// Ledger reads ledger.jsonl.
func (r Reader) Ledger() ([]Entry, error) {
	return lines[Entry](r, "ledger.jsonl")
}

// Releases reads releases.jsonl.
func (r Reader) Releases() ([]Released, error) { return lines[Released](r, "releases.jsonl") }

// Withdrawals reads withdrawals.jsonl.
func (r Reader) Withdrawals() ([]Withdrawal, error) {
	return lines[Withdrawal](r, "withdrawals.jsonl")
}

// Removals reads removals.jsonl.
func (r Reader) Removals() ([]Removal, error) { return lines[Removal](r, "removals.jsonl") }

// Gaps reads gaps.jsonl.
func (r Reader) Gaps() ([]Gap, error) { return lines[Gap](r, "gaps.jsonl") }

func lines[T any](r Reader, name string) ([]T, error) {
	list, n := make([]T, 0), 0
	if parts := r.Parts(); len(parts) != 1 {
		for _, p := range parts {
			more, err := lines[T](p, name)
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		}
		return list, nil
	}
	add := func(text string) error {
		var v T
		if n++; json.Unmarshal([]byte(text), &v) != nil {
			return fmt.Errorf("%s, line %d: it cannot be read", name, n)
		}
		list = append(list, v)
		return nil
	}
	if Near(r.Source) {
		err := r.Each(name, add)
		return list, err
	}
	texts, err := r.Lines(name) // a mirror's file may be at hand
	for _, text := range texts {
		if err == nil {
			err = add(text)
		}
	}
	return list, err
}

// Lines are the whole lines of a growing file, without their line feeds.
func (r Reader) Lines(name string) ([]string, error) {
	raw, err := r.Source.Get(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []string
	for line := range strings.Lines(string(raw)) {
		text, whole := strings.CutSuffix(line, "\n")
		if !whole {
			break // the writer is in the middle of it
		}
		list = append(list, text)
	}
	return list, nil
}

// Each calls f for every complete line of a growing file. From a directory or a mirror it
// holds one line at a time; from another source all of them.
func (r Reader) Each(name string, f func(line string) error) error {
	if s, ok := r.Source.(interface {
		Each(name string, f func(line string) error) error
	}); ok {
		return s.Each(name, f)
	}
	lines, err := r.Lines(name)
	for _, line := range lines {
		if err == nil {
			err = f(line)
		}
	}
	return err
}

// Verify follows the chain of a growing file and returns how many lines it has.
func (r Reader) Verify(name string) (int, error) {
	c := Chained{Name: name}
	err := r.Each(name, c.Next)
	return int(c.N()), err
}

// Chain is Verify for lines in memory.
func Chain(name string, lines []string) (int, error) {
	c := Chained{Name: name}
	for _, line := range lines {
		if err := c.Next(line); err != nil {
			return int(c.N()), err
		}
	}
	return int(c.N()), nil
}

// Hash is the SHA-256 of a line without its line feed, in hex; empty for none.
func Hash(line string) string {
	if line == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(line))
	return hex.EncodeToString(sum[:])
}

func read[T any](r Reader, name string) (T, error) {
	var v T
	raw, err := r.Source.Get(name)
	if errors.Is(err, fs.ErrNotExist) {
		return v, nil
	}
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

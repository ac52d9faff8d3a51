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

// Source is where books are read: a Dir, or a mirror.
type Source interface {
	Get(name string) ([]byte, error)
}

// Reader reads the books' files. A file that is not there yet reads as empty.
type Reader struct{ Source Source }

// City reads city.json.
func (r Reader) City() (City, error) { return read[City](r, "city.json") }

// Streams reads streams.json.
func (r Reader) Streams() ([]Stream, error) { return read[[]Stream](r, "streams.json") }

// Decisions reads decisions.json.
func (r Reader) Decisions() ([]Decision, error) { return read[[]Decision](r, "decisions.json") }

// Sensors reads register.json.
func (r Reader) Sensors() ([]Sensor, error) {
	file, err := read[struct {
		Sensors []Sensor `json:"sensors"`
	}](r, "register.json")
	return file.Sensors, err
}

// Zones reads zones.geojson as it is.
func (r Reader) Zones() ([]byte, error) { return r.Source.Get("zones.geojson") }

// Ledger reads ledger.jsonl.
func (r Reader) Ledger() ([]Entry, error) {
	raw, err := r.Source.Get("ledger.jsonl")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Entry
	for line := range strings.Lines(string(raw)) {
		var e Entry
		if !strings.HasSuffix(line, "\n") {
			break // the writer is in the middle of it
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, fmt.Errorf("ledger.jsonl, line %d: %w", len(list)+1, err)
		}
		list = append(list, e)
	}
	return list, nil
}

// Verify follows the chain of ledger.jsonl and returns how many lines it has:
// each names the SHA-256 of the one before, and they are numbered without a gap.
func (r Reader) Verify() (int, error) {
	raw, err := r.Source.Get("ledger.jsonl")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, prev := 0, ""
	for line := range strings.Lines(string(raw)) {
		text, whole := strings.CutSuffix(line, "\n")
		if !whole {
			break // the writer is in the middle of it
		}
		n++
		var e Entry
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			return n, fmt.Errorf("ledger.jsonl, line %d: %w", n, err)
		}
		if e.N != int64(n) || e.PrevSHA256 != prev {
			return n, fmt.Errorf("ledger.jsonl, line %d: it does not follow from the line before", n)
		}
		sum := sha256.Sum256([]byte(text))
		prev = hex.EncodeToString(sum[:])
	}
	return n, nil
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

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
type Reader struct {
	Source Source
	// Kept remembers what is long; nil for nothing.
	Kept *Kept
}

// City reads city.json.
func (r Reader) City() (City, error) { return read[City](r, "city.json") }

// Streams reads streams.json.
func (r Reader) Streams() ([]Stream, error) { return read[[]Stream](r, "streams.json") }

// Decisions reads decisions.json.
func (r Reader) Decisions() ([]Decision, error) { return read[[]Decision](r, "decisions.json") }

// Register reads register.json. What is given out may be others' too: it is not to be
// changed.
func (r Reader) Register() (Register, error) {
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

// Gaps reads gaps.jsonl.
func (r Reader) Gaps() ([]Gap, error) { return lines[Gap](r, "gaps.jsonl") }

func lines[T any](r Reader, name string) ([]T, error) {
	texts, err := r.Lines(name)
	if err != nil {
		return nil, err
	}
	list := make([]T, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal([]byte(text), &list[i]); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, i+1, err)
		}
	}
	return list, nil
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

// Verify follows the chain of a growing file, ledger.jsonl or releases.jsonl, and
// returns how many lines it has: each names the SHA-256 of the one before, and
// they are numbered without a gap.
func (r Reader) Verify(name string) (int, error) {
	lines, err := r.Lines(name)
	if err != nil {
		return 0, err
	}
	return Chain(name, lines)
}

// Chain is Verify for lines at hand.
func Chain(name string, lines []string) (int, error) {
	prev := ""
	for i, text := range lines {
		var e struct {
			N          int64  `json:"n"`
			PrevSHA256 string `json:"prev_sha256"`
		}
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			return i + 1, fmt.Errorf("%s, line %d: %w", name, i+1, err)
		}
		if e.N != int64(i+1) || e.PrevSHA256 != prev {
			return i + 1, fmt.Errorf("%s, line %d: it does not follow from the line before", name, i+1)
		}
		prev = Hash(text)
	}
	return len(lines), nil
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

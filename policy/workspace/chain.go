package workspace

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"sluice/policy/council"
)

// enacted is a motion file, as far as its head says.
type enacted struct {
	council.Motion
	name string
	raw  []byte
	hash string
}

// Chain reads the enacted motions that follow one another, oldest first. Where two
// follow the same one, gateways take the one whose time comes first, and the other
// is void, with all that follows it: it is left out.
func (d Dir) Chain() ([]*council.Enacted, error) {
	list, err := d.enacted()
	if err != nil {
		return nil, err
	}
	var chain []*council.Enacted
	reached := map[string]bool{"": true} // motions that were followed at some time, void ones too
	for {
		last := Last(chain)
		var next *council.Enacted
		for _, f := range list {
			if !follows(f, last) {
				continue
			}
			e, err := council.Reopen(f.raw, last)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.name, err)
			}
			if next == nil || e.NotBefore.Before(next.NotBefore) {
				next = e
			}
		}
		if next == nil {
			break
		}
		chain = append(chain, next)
	}
	for _, f := range list { // in the order of their versions
		if !reached[f.Previous] {
			return nil,
				fmt.Errorf(
					"%s has version %d, and the motion that it follows is missing; every enacted motion stays in %s",
					f.name, f.Version, d.Motions())
		}
		reached[f.hash] = true
	}
	return chain, nil
}

func follows(f enacted, last *council.Enacted) bool {
	if last == nil {
		return f.Version == 1 && f.Previous == ""
	}
	return f.Version == last.Version+1 && f.Previous == last.Hash
}

// enacted reads the heads of all enacted motions, by version.
func (d Dir) enacted() ([]enacted, error) {
	names, err := filepath.Glob(filepath.Join(d.Motions(), "*", "*.sluice"))
	if err != nil {
		return nil, err
	}
	var list []enacted
	for _, name := range names {
		raw, err := readFile(name, council.MaxFile)
		if err != nil {
			return nil, err
		}
		parts, err := council.ReadFile(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m, err := council.ParseMotion(parts[council.TextName])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, enacted{m, name, raw, council.Sum(parts[council.TextName])})
	}
	slices.SortStableFunc(list, func(a, b enacted) int { return a.Version - b.Version })
	return list, nil
}

// Last is the last motion of a chain, or nil.
func Last(chain []*council.Enacted) *council.Enacted {
	if len(chain) == 0 {
		return nil
	}
	return chain[len(chain)-1]
}

// InForce is the part of a chain whose time has come; the rest waits.
func InForce(chain []*council.Enacted, now time.Time) []*council.Enacted {
	n := slices.IndexFunc(chain, func(e *council.Enacted) bool { return now.Before(e.From) })
	if n < 0 {
		return chain
	}
	return chain[:n]
}

// Author is the motion that gave a decision the text that it has; nil where none has voted that one.
func Author(chain []*council.Enacted, id string, yaml []byte) (author *council.Enacted) {
	text := ""
	for _, e := range chain {
		if d := e.Policy.Decision(id); d != nil && string(d.YAML) != text {
			author, text = e, string(d.YAML)
		}
	}
	if text != string(yaml) {
		return nil
	}
	return author
}

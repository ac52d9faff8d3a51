package templates

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
)

// addedEpsilon is the budget of a day for a kind of unit that the charter has none for.
const addedEpsilon = 1

// Addition is something that a template needs and a policy lacked.
type Addition struct {
	// File and Place are where it belongs, e.g. charter.yaml and names.purposes.
	File, Place string
	// Entry is what is added, as YAML: a list's item, or key: value.
	Entry string
	// Done is false where the file is written in a way that nothing could be added to; then
	// people paste Entry.
	Done bool
}

// Add adds to the files of a policy what it lacks for a template: the kind, the purpose with its
// words, words for units of measurement and a budget for its units. It changes no file that need
// not change, and in those that do everything else stays as it is written, comments too.
func (t Template) Add(p *bundle.Policy) (changed bundle.Files, list []Addition, err error) {
	a := &adding{from: p.Files, changed: make(bundle.Files)}
	if _, there := p.Kinds[t.Kind.ID]; !there {
		a.add("kinds.yaml", []string{"kinds"}, t.Kind.ID, t.Kind.Entry)
	}
	const charter = "charter.yaml"
	c := p.Charter
	if !slices.Contains(c.Purposes, t.Purpose.ID) {
		a.add(charter, []string{"purposes"}, "", t.Purpose.ID)
	}
	if len(c.Names.Purposes[t.Purpose.ID]) == 0 {
		a.add(charter, []string{"names", "purposes"}, t.Purpose.ID, flow(t.Purpose.Names))
	}
	for _, unit := range slices.Sorted(maps.Keys(t.Labels)) {
		if len(c.Names.Units[unit]) == 0 {
			a.add(charter, []string{"names", "units"}, unit, flow(t.Labels[unit]))
		}
	}
	if unit := t.Protect.StandsFor; unit != "" && c.EpsilonPerDay[unit] == 0 {
		a.add(charter, []string{"epsilon_per_day"}, unit, fmt.Sprint(addedEpsilon))
	}
	return a.changed, a.list, a.err
}

type adding struct {
	from, changed bundle.Files
	list          []Addition
	err           error
}

func (a *adding) add(file string, path []string, key, value string) {
	raw, ok := a.changed[file]
	if !ok {
		raw = a.from[file]
	}
	out, err := yamldoc.Insert(raw, path, key, value)
	if err != nil && !errors.Is(err, yamldoc.ErrInsert) {
		a.err = errors.Join(a.err, fmt.Errorf("%s: %w", file, err))
		return
	}
	if err == nil {
		a.changed[file] = out
	}
	a.list = append(a.list, Addition{File: file, Place: strings.Join(path, "."), Entry: entry(key, value),
		Done: err == nil})
}

func entry(key, value string) string {
	switch {
	case key == "":
		return value
	case strings.Contains(value, "\n"):
		return key + ":\n  " + strings.ReplaceAll(strings.TrimSpace(value), "\n", "\n  ")
	}
	return key + ": " + value
}

// flow is words by language as a flow mapping, in the order in which charters have them.
func flow(words map[string]string) string {
	var out []string
	for _, lang := range []string{"ca", "es", "en"} {
		text := words[lang]
		if strings.ContainsAny(text, ",:{}[]#&*!|>'\"%@`") {
			text = fmt.Sprintf("%q", text)
		}
		out = append(out, lang+": "+text)
	}
	return "{" + strings.Join(out, ", ") + "}"
}

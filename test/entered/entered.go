// Package entered writes public books for rows of tests and benchmarks, as a gateway
// that had released them would have.
package entered

import (
	"encoding/json"
	"io"
	"slices"

	"sluice/books"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/store"
)

// Enter appends a line for each window of which there are rows, which follow each other,
// and a plan that could have released them.
func Enter(dir books.Dir, rows []store.Observation) error { return EnterAs("edge-1", dir, rows) }

// EnterAs enters rows as a gateway does.
func EnterAs(gateway string, dir books.Dir, rows []store.Observation) error {
	end, err := books.Last(dir, "releases.jsonl")
	if err != nil {
		return err
	}
	n, prev := end.N, end.Line
	old, err := books.Reader{Source: dir}.Lines("releases.jsonl")
	if err != nil {
		return err
	}
	plans := make(map[string]string)
	for _, o := range rows {
		if plans[o.Stream] == "" {
			if plans[o.Stream], err = planOf(dir, rows, o.Stream); err != nil {
				return err
			}
		}
	}
	return dir.Write("releases.jsonl", func(w io.Writer) error {
		for _, line := range old {
			if _, err := io.WriteString(w, line+"\n"); err != nil {
				return err
			}
		}
		for len(rows) > 0 {
			first := rows[0]
			k := slices.IndexFunc(rows, func(o store.Observation) bool {
				return o.Stream != first.Stream || !o.Start.Equal(first.Start)
			})
			if k < 0 {
				k = len(rows)
			}
			n++
			raw, err := json.Marshal(books.Released{
				N: n, Gateway: gateway, Stream: first.Stream, Start: first.Start, End: first.End, Policy: first.Policy,
				Plan:   plans[first.Stream],
				Ledger: first.Ledger, Rows: k, SHA256: store.Digest(rows[:k]), PrevSHA256: books.Hash(prev),
			})
			if err != nil {
				return err
			}
			if _, err := w.Write(append(raw, '\n')); err != nil {
				return err
			}
			prev, rows = string(raw), rows[k:]
		}
		return nil
	})
}

// planOf writes a plan with the places and measures of a stream's rows.
func planOf(dir books.Dir, rows []store.Observation, stream string) (string, error) {
	s := plan.Stream{ID: stream}
	add := func(list *[]string, x string) {
		if !slices.Contains(*list, x) {
			*list = append(*list, x)
		}
	}
	var measures []string
	units := make(map[string]string)
	for _, o := range rows {
		if o.Stream == stream {
			units[o.Measure] = o.Unit
			if every, err := civil.ParsePeriod(o.Every); err == nil {
				s.Every, s.Decision = every, o.Decision
			}
			add(&s.Zones, o.Zone)
			add(&s.Category.Values, o.Category)
			add(&measures, o.Measure)
		}
	}
	for _, m := range measures {
		s.Measures = append(s.Measures, plan.Measure{Name: m, Of: plan.Count, Unit: units[m]})
	}
	raw, err := json.Marshal(&s)
	if err != nil {
		return "", err
	}
	digest := books.Sum(raw)
	return digest, dir.Put("plans/"+digest+".json", raw)
}

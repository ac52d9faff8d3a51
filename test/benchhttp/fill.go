package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"sluice/books"
	"sluice/store"
	"sluice/store/sqlite"
	"sluice/test/entered"
)

// origin is when the store begins.
var origin = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// fill writes books of a city with two streams, and as many rows: half of them
// hours in thirty places, half of them quarters of an hour in ten.
func fill(ctx context.Context, dir string, rows int) error {
	b := books.Dir(filepath.Join(dir, "books"))
	cells := func(n int) (out []books.Cell) {
		for i := range n {
			id := fmt.Sprintf("z%d", i)
			out = append(out, books.Cell{ID: id, Zone: id})
		}
		return out
	}
	streams := []books.Stream{
		{ID: "noise", Title: map[string]string{"en": "Noise"}, Every: "PT15M", Timezone: "Europe/Madrid", Unit: "none",
			Measures: []books.Measure{{Name: "level", Unit: "dB(A)", Of: "mean(laeq)"}}, Cells: cells(10),
			Decision: "2", From: "2024-01-01", Until: "2026-12-31", Licence: "CC0-1.0"},
		{ID: "steps", Title: map[string]string{"en": "Steps"}, Every: "PT1H", Timezone: "Europe/Madrid", Unit: "device",
			Measures: []books.Measure{{Name: "devices", Unit: "device", Of: "distinct(unit)", PublicFrom: 47,
				TypicalError: 6}}, Cells: cells(30), Decision: "1", From: "2024-01-01", Until: "2026-12-31",
			Licence: "CC0-1.0"},
	}
	if err := b.PutJSON("city.json", books.City{ID: "bench", Name: "Bench", Timezone: "Europe/Madrid"}); err != nil {
		return err
	}
	if err := b.PutJSON("streams.json", streams); err != nil {
		return err
	}
	db, err := sqlite.Open(ctx, filepath.Join(dir, "store.db"))
	if err != nil {
		return err
	}
	for _, st := range streams {
		step := map[string]time.Duration{"PT15M": 15 * time.Minute, "PT1H": time.Hour}[st.Every]
		var batch []store.Observation
		var all []store.Observation
		for n := range rows / 2 / len(st.Cells) {
			for i, c := range st.Cells {
				batch = append(batch, observe(st, c.ID, origin.Add(time.Duration(n)*step), step, n+i))
			}
			if len(batch) > 20_000 {
				if err := db.Write(ctx, batch); err != nil {
					return err
				}
				all, batch = append(all, batch...), batch[:0]
			}
		}
		if err := errors.Join(db.Write(ctx, batch), entered.Enter(b, append(all, batch...))); err != nil {
			return err
		}
	}
	return db.Close()
}

func observe(st books.Stream, cell string, at time.Time, step time.Duration, n int) store.Observation {
	v := float64(50 + n*7919%600)
	low, high := v-6, v+6
	o := store.Observation{
		Stream: st.ID, Start: at, End: at.Add(step), Every: st.Every, Cell: cell, Zone: cell,
		Measure: st.Measures[0].Name, Status: store.Published, Value: &v, Low: &low, High: &high,
		Unit: st.Measures[0].Unit, Decision: st.Decision,
		Policy: "75b9390fff06684e733565d45f13b89da4ec78c544fdb7bf89927659387c9c62", Mechanism: "laplace", Epsilon: 0.5,
		Scale: 2, Threshold: 40.25, Ledger: 1,
	}
	if n%5 == 0 {
		o.Status, o.Reason, o.Value, o.Low, o.High = store.Withheld, "few", nil, nil, nil
	}
	return o
}

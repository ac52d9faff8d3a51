package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"sluice/books"
	"sluice/store"
	"sluice/store/sqlite"
	"sluice/test/entered"
)

// found is what visitors noticed.
type found struct {
	p50 time.Duration
	// second is the median of each second's p99, which what else the machine does
	// disturbs less than all, the p99 of all.
	second, all   time.Duration
	failed, asked int
}

func (f found) String() string {
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	return fmt.Sprintf("p50 %6.2f ms, p99 %7.2f ms in the median second, %7.2f ms of all, %d of %d failed", ms(f.p50),
		ms(f.second), ms(f.all), f.failed, f.asked)
}

// visit asks so often, whether or not answers came, every second time on a connection
// of its own. An answer's time counts from when it should have been asked for.
func visit(addr, host string) (found, error) {
	total := int(rate * span.Seconds())
	kept := &http.Client{Timeout: 20 * time.Second,
		Transport: &http.Transport{DialContext: dialer(host).DialContext, MaxIdleConnsPerHost: 16}}
	anew := &http.Client{Timeout: 20 * time.Second,
		Transport: &http.Transport{DialContext: dialer(host).DialContext, DisableKeepAlives: true}}
	defer kept.CloseIdleConnections()
	took := make([]time.Duration, total)
	var mu sync.Mutex
	var errs []error
	var wg sync.WaitGroup
	begun := time.Now().Add(100 * time.Millisecond)
	for n := range total {
		due := begun.Add(time.Duration(n) * time.Second / rate)
		time.Sleep(time.Until(due))
		wg.Go(func() {
			client := kept
			if n%2 == 0 {
				client = anew
			}
			err := ask(client, fmt.Sprintf("http://%s/api/v1/streams/steps/observations?cell=z%d&limit=24", addr, n%10))
			took[n] = time.Since(due)
			if err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(errs) == total {
		return found{}, fmt.Errorf("nobody was answered: %w", errors.Join(errs[:1]...))
	}
	var seconds []time.Duration
	for second := range slices.Chunk(slices.Clone(took), rate) {
		slices.Sort(second)
		seconds = append(seconds, second[len(second)*99/100])
	}
	slices.Sort(seconds)
	slices.Sort(took)
	return found{p50: took[total/2], second: seconds[len(seconds)/2], all: took[total*99/100], failed: len(errs),
		asked: total}, nil
}

func ask(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// fill writes books of a city with one stream, and a year of hours in ten places.
func fill(ctx context.Context, dir string) error {
	b := books.Dir(filepath.Join(dir, "books"))
	st := books.Stream{
		ID: "steps", Title: map[string]string{"en": "Steps"}, Every: "PT1H", Timezone: "Europe/Madrid", Unit: "device",
		Measures: []books.Measure{{Name: "devices", Unit: "device", Of: "distinct(unit)", PublicFrom: 47,
			TypicalError: 6}},
		Decision: "1", From: "2025-01-01", Until: "2025-12-31", Licence: "CC0-1.0",
	}
	var list []store.Observation
	origin := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 10 {
		id := fmt.Sprintf("z%d", i)
		st.Cells = append(st.Cells, books.Cell{ID: id, Zone: id})
		for n := range 365 * 24 {
			v := float64(50 + n*7919%600)
			low, high := v-6, v+6
			at := origin.Add(time.Duration(n) * time.Hour)
			list = append(list, store.Observation{
				Stream: st.ID, Start: at, End: at.Add(time.Hour), Every: st.Every, Cell: id, Zone: id,
				Measure: "devices", Status: store.Published, Value: &v, Low: &low, High: &high,
				Unit: "device", Decision: "1", Policy: "00", Mechanism: "laplace", Epsilon: 0.5, Scale: 2,
				Threshold: 40.25, Ledger: 1,
			})
		}
	}
	if err := b.PutJSON("city.json", books.City{ID: "bench", Name: "Bench", Timezone: "Europe/Madrid"}); err != nil {
		return err
	}
	if err := b.PutJSON("streams.json", []books.Stream{st}); err != nil {
		return err
	}
	db, err := sqlite.Open(ctx, filepath.Join(dir, "store.db"))
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b store.Observation) int { return a.Start.Compare(b.Start) })
	return errors.Join(db.Write(ctx, list), db.Close(), entered.Enter(b, list))
}

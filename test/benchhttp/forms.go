package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/books"
	"sluice/store"
	"sluice/store/sqlite"
	"sluice/store/table"
)

// forms measures what tools read, over the same store: files of the archive, SensorThings, and
// charts of a year.
func (b bench) forms(ctx context.Context, dir string) error {
	if err := b.fill(ctx, dir, b.rows); err != nil {
		return err
	}
	if err := closeYear(ctx, dir); err != nil {
		return err
	}
	begun := time.Now()
	ours, err := b.serve(ctx, dir, "archive: {dir: archive}\n")
	if err != nil {
		return err
	}
	defer ours.stop()
	if err := offered(ctx, ours.addr, begun); err != nil {
		return err
	}
	rounds := (b.rounds + 1) / 2
	for _, x := range []struct{ name, path string }{
		{"a month as CSV", "/archive/steps/2024/03.csv.gz"},
		{"a month as Parquet", "/archive/steps/2024/03.parquet"},
		{"a year as SQLite", "/archive/2024.db"},
	} {
		if err := compare(ctx, dir, ours, x.name, x.path, "", rounds); err != nil {
			return err
		}
	}
	const within = "phenomenonTime%%20ge%%20%s%%20and%%20phenomenonTime%%20lt%%20%s"
	for _, x := range []struct{ name, path string }{
		{"SensorThings, $filter of a day's observations", "/v1.1/Observations?$top=100&" +
			"$filter=result%%20gt%%20300%%20and%%20" + within},
		{"SensorThings, $expand of every thing to its newest of a day", "/v1.1/Things?$top=10&$expand=Datastreams(" +
			"$expand=Observations($top=1;$orderby=phenomenonTime%%20desc;$filter=" + within + "))"},
		{"a stream's page with a year's chart", "/streams/steps?span=year&cell=z7&cell=z9&to=%[2]s"},
		{"a year's chart alone, as SVG", "/streams/steps/chart.svg?span=year&cell=z7&to=%[2]s"},
	} {
		if err := compare(ctx, dir, ours, x.name, x.path, "", rounds); err != nil {
			return err
		}
	}
	fmt.Printf("memory     %d MiB at most\n", ours.peak()>>10)
	return nil
}

// offered waits until the archive has made the whole year.
func offered(ctx context.Context, addr string, begun time.Time) error {
	for ctx.Err() == nil && time.Since(begun) < 10*time.Minute {
		raw, err := fetch(addr, "/archive/manifest.json")
		if err != nil {
			return err
		}
		var m struct {
			Files []struct {
				Path  string
				Bytes int64
			}
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			return err
		}
		bytes, months, year := int64(0), 0, false
		for _, f := range m.Files {
			bytes += f.Bytes
			year = year || f.Path == "2024.db"
			if strings.Contains(f.Path, "/2024/") {
				months++
			}
		}
		if year {
			fmt.Printf("archive    %d files of months and the year 2024, %d MiB, made in %.0f s\n", months, bytes>>20,
				time.Since(begun).Seconds())
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	return errors.Join(errors.New("the archive has not made the year"), ctx.Err())
}

// closeYear enters in the books what each month of 2024 has, as a gateway does.
func closeYear(ctx context.Context, dir string) error {
	db, err := sqlite.Open(ctx, filepath.Join(dir, "store.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		return err
	}
	var lines []byte
	for n, at := int64(1), origin; at.Year() == origin.Year(); at = at.AddDate(0, 1, 0) {
		month, from, to := books.MonthOf(at, madrid)
		for _, stream := range []string{"noise", "steps"} {
			rows, err := db.Observations(ctx, store.Query{Stream: stream, From: from, To: to, Limit: 1_000_000,
				Which: store.Both})
			if err != nil {
				return err
			}
			sum, windows := table.NewDigest(madrid), int64(0)
			for i := range rows {
				if i == 0 || !rows[i].Start.Equal(rows[i-1].Start) {
					windows++
				}
				if err := sum.Write(&rows[i]); err != nil {
					return err
				}
			}
			if len(rows) == 0 {
				continue
			}
			a := books.Archived{N: n, At: to, Gateway: "edge-1", Stream: stream, Month: month,
				Timezone: "Europe/Madrid", From: from, To: to, Windows: windows}
			if a.Rows, a.SHA256, err = sum.Sum(); err != nil {
				return err
			}
			raw, err := json.Marshal(a)
			if err != nil {
				return err
			}
			lines = append(append(lines, raw...), '\n')
			n++
		}
	}
	return os.WriteFile(filepath.Join(dir, "books", books.ArchiveName), lines, 0o644)
}

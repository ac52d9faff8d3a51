package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // reads copies of the gateway's databases
)

// epoch is the hours of a world: all are before local midnight.
const epoch = 17

// open starts a world's gateway, its open data and its sensors, and sets the clock.
func (w *world) open(faults ...string) error {
	if err := w.spawn(faults...); err != nil {
		return err
	}
	return w.join()
}

// join starts what is beside a gateway that was spawned.
func (w *world) join() error {
	w.up(30 * time.Second)
	w.client = dial(w.mqtt)
	w.tick(start(0))
	if err := w.settled(); err != nil {
		return err
	}
	return w.serve()
}

// settled waits until everything that was sent is acknowledged.
func (w *world) settled() error {
	return w.until(w.patience, "acknowledgements", func() bool { return w.client.pending() == 0 })
}

// closeHour moves the clock behind the open hour, and waits until the interface
// shows the hour; then it is held against the truth.
func (w *world) closeHour() error {
	if err := w.settled(); err != nil {
		return err
	}
	if w.own == "" && w.strict { // the broker has acknowledged; the gateway may not have got it yet
		if err := w.until(w.patience, "readings behind the broker", w.received); err != nil {
			return err
		}
	}
	at := start(w.hour + 1).Add(3 * time.Minute)
	w.tick(at)
	again := time.Now().Add(5 * time.Second)
	err := w.until(w.patience, "the tick's acknowledgement", func() bool {
		if w.own == "" && time.Now().After(again) { // a broker that was killed may have forgotten it
			w.tick(at)
			again = time.Now().Add(5 * time.Second)
		}
		return w.client.pending() == 0 && w.through(at)
	})
	if err != nil {
		return err
	}
	hour := w.hour
	w.hour++
	err = w.until(w.patience, fmt.Sprintf("the interface to show hour %d", hour), func() bool {
		for stream, n := range rowsOf {
			if list, err := w.items(stream, hour); err != nil || len(list) < n {
				return false
			}
		}
		return true
	})
	w.check(hour)
	if err == nil {
		w.account()
		w.private()
	}
	return err
}

// received says whether the gateway has received as much as was sent.
func (w *world) received() bool {
	m := w.metrics()
	return m != nil && m["sluice_received_total"] >= float64(w.seq)
}

// through says whether everything due at an instant has been released.
func (w *world) through(at time.Time) bool {
	raw, err := fetch(w.admin + "/healthz")
	var h struct {
		ReleasedThrough *time.Time `json:"released_through"`
	}
	return err == nil && json.Unmarshal(raw, &h) == nil && h.ReleasedThrough != nil && !h.ReleasedThrough.Before(at)
}

// copies looks into copies of the outbox and the store: what was ever public, or
// about to be, never has another value.
func (w *world) copies() {
	dir, err := os.MkdirTemp("", "sluice-torture-copy-")
	if err != nil {
		return
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"ledger.db-wal", "ledger.db", "store.db-wal", "store.db"} {
		if raw, err := os.ReadFile(filepath.Join(w.state(), name)); err == nil {
			_ = os.WriteFile(filepath.Join(dir, name), raw, 0o600)
		}
	}
	_ = query(filepath.Join(dir, "ledger.db"), "SELECT stream, rows FROM outbox", func(scan func(...any) error) error {
		var stream, rows string
		if err := scan(&stream, &rows); err != nil {
			return err
		}
		var list []item
		if json.Unmarshal([]byte(rows), &list) == nil {
			for _, i := range list {
				if i.Measure != "" {
					w.remember("the outbox", stream, i)
				}
			}
		}
		return nil
	})
	_ = query(filepath.Join(dir, "store.db"), "SELECT stream, start, cell, measure, status, value FROM released",
		func(scan func(...any) error) error {
			var stream string
			var i item
			var at int64
			if err := scan(&stream, &at, &i.Cell, &i.Measure, &i.Status, &i.Value); err != nil {
				return err
			}
			i.Start = time.Unix(0, at)
			w.remember("the store", stream, i)
			return nil
		})
	w.enacted(filepath.Join(dir, "ledger.db"))
	w.books()
}

func query(path, text string, each func(scan func(...any) error) error) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(context.Background(), text)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// books reads the public list of releases: a window has one line and one digest.
func (w *world) books() {
	raw, _ := os.ReadFile(filepath.Join(w.state(), "public/releases.jsonl"))
	lines := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		var r struct {
			Stream, SHA256 string
			Start          time.Time
		}
		if !strings.HasSuffix(line, "\n") || json.Unmarshal([]byte(line), &r) != nil {
			continue
		}
		key := r.Stream + " " + r.Start.String()
		if lines[key] != "" {
			w.twice("the books have two lines for %s", key)
		}
		lines[key] = r.SHA256
		if first, known := w.shown["line "+key]; known && first != r.SHA256 {
			w.twice("the books name another digest for %s", key)
		}
		w.shown["line "+key] = r.SHA256
	}
}

// verify asks the product itself, as a resident and as the operator would.
func (w *world) verify() {
	err := w.until(w.patience, "the books to name the last window", func() bool {
		raw, _ := os.ReadFile(filepath.Join(w.state(), "public/releases.jsonl"))
		return w.hour == 0 || strings.Count(string(raw), `"start":"`+start(w.hour-1).Format(time.RFC3339)) >= 2
	})
	if err != nil {
		w.wrong("%v", err)
	}
	w.kill()
	w.watch()
	for _, args := range [][]string{{"ledger", "verify", w.state()}, {"verify", w.pages}} {
		p, err := launch(nil, w.h.bin, args...)
		if err != nil {
			w.wrong("%v: %v", args, err)
			continue
		}
		<-p.done
		if p.exit() != 0 {
			w.wrong("sluice %s ends with %d: %s", args[0], p.exit(), p.last(4))
		}
	}
}

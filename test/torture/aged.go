package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// aged are files as years leave them: of an earlier version, or with a memory that is
// full. Both databases are whole.
var aged = []struct {
	name          string
	ledger, store string // SQL
	storeGone     bool
}{
	{name: "state/ledger.db is of an earlier version", ledger: `DROP INDEX entry_day; DROP INDEX journal_recovered;
		DROP TRIGGER outbox_in; DROP TRIGGER outbox_out; DROP TRIGGER journal_in;
		DROP TABLE waiting; DROP TABLE through; DROP TABLE kept;
		ALTER TABLE policy DROP COLUMN motion; PRAGMA user_version = 0; PRAGMA application_id = 0;`},
	{name: "state/store.db is of an earlier version", store: `CREATE TABLE observation AS
		SELECT stream, start, cell, measure, stop, every, zone, category, status, reason, value, low, high, unit,
		decision, policy, mechanism, epsilon, scale, threshold, ledger, simulation
		FROM released JOIN (SELECT id, every, zone, category, unit, decision, policy, mechanism, epsilon, scale,
		threshold, simulation FROM series) ON id = series;
		DROP VIEW observations; DROP TABLE released; DROP TABLE series;`},
	{name: "state/ledger.db is full of what was sent",
		ledger: `INSERT INTO sent VALUES (0, 'long-ago', 0, printf('%*s', 64 << 20, ''))`},
	{name: storeForGood, ledger: `DELETE FROM sent`, storeGone: true},
}

// storeForGood is a loss that nobody can make good: it is said with its way back, and that
// makes it a gap.
const storeForGood = "state/store.db is gone, and what was sent to it is not kept any more"

// recoverStore does what a gateway says whose store has lost what was delivered.
func (w *world) recoverStore() error {
	err := w.until(w.patience, "the loss of the store to be said", func() bool {
		raw, err := fetch(w.admin + "/readyz")
		return err == nil && strings.Contains(string(raw), "missing in the store") &&
			strings.Contains(string(raw), "ledger recover")
	})
	if err != nil {
		return err
	}
	w.Refused++
	w.kill()
	if err := w.verb("", "ledger", "recover", "-c", filepath.Join(w.dir, "gateway.yaml")); err != nil {
		return err
	}
	if err := w.spawn(); err != nil {
		return err
	}
	if ok, _ := w.up(w.patience); !ok {
		return fmt.Errorf("it does not start after ledger recover: %s", w.gateway.last(2))
	}
	return nil
}

// age makes a world's files old at rest.
func (w *world) age(n int) (what string, err error) {
	a := aged[n]
	if a.ledger != "" {
		err = alter(filepath.Join(w.state(), "ledger.db"), a.ledger)
	}
	if a.store != "" {
		err = alter(filepath.Join(w.state(), "store.db"), a.store)
	}
	if a.storeGone {
		for _, end := range []string{"", "-wal", "-shm"} {
			if gone := os.Remove(filepath.Join(w.state(), "store.db"+end)); !errors.Is(gone, fs.ErrNotExist) {
				err = errors.Join(err, gone)
			}
		}
	}
	return a.name, err
}

func alter(path, text string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(context.Background(), text)
	return err
}

// anew removes the state directory and leaves the keys: a simulation that is begun
// anew knows nothing of the one before, and what it left does not count against it.
func (w *world) anew(fault string) error {
	if err := os.RemoveAll(w.state()); err != nil {
		return err
	}
	fresh := newOracle()
	fresh.seq, fresh.hour, fresh.verdicts = w.seq, w.hour+1, w.verdicts
	w.oracle, w.strict = fresh, true
	if err := w.spawn(fault); err != nil {
		return err
	}
	if ok, _ := w.up(w.patience); !ok {
		if code := w.gateway.exit(); code != -1 {
			return fmt.Errorf("a simulation begun anew ends with %d: %s", code, w.gateway.last(2))
		}
		if err := w.resume(""); err != nil {
			return err
		}
	}
	w.client = dial(w.mqtt)
	w.tick(start(w.hour))
	if err := w.settled(); err != nil {
		return err
	}
	if err := w.serve(); err != nil {
		return err
	}
	for range 2 {
		if err := w.play(func(int) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

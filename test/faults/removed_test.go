package faults

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/gateway/ledger"
	"sluice/policy/council"
	"sluice/store/sqlite"
	"sluice/test/harness"
)

// TestRemovedOnTime: numbers that were removed when their decision's time for them was
// over are not called wrong by anybody, nor sent again, nor shown if they come back; any
// other that is missing is. A ledger that was lost knows it again from the books.
func TestRemovedOnTime(t *testing.T) {
	t.Parallel()
	files := harness.Small()
	files["policy/decisions/gates.yaml"] += "retain: P1D\n"
	c := harness.Found(t, files)
	c.Begin()
	c.Hours(0, 4)
	c.BooksHold(8)
	c.Gateway.Stop(20 * time.Second)
	state := filepath.Join(c.Dir, "state")
	var city books.City
	harness.Unmarshal(t, []byte(harness.Read(t, filepath.Join(state, "public/city.json"))), &city)
	if want := council.Sum([]byte(files["policy/charter.yaml"])); city.Charter != want {
		t.Errorf("city.json has the charter %q; want %s", city.Charter, want)
	}
	l, err := ledger.Open(t.Context(), filepath.Join(state, "ledger.db"), "test-1", 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	until := harness.Ten.Add(2 * time.Hour)
	line := books.Removal{At: until.AddDate(0, 0, 1), Stream: "gates", Decision: "1", Retain: "P1D", Until: until,
		Policy: city.Policy}
	if err := errors.Join(l.Removals.Enter(t.Context(), line), l.Close()); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", sqlite.DSN(filepath.Join(state, "store.db"), false))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, do := range []string{
		"CREATE TABLE kept AS SELECT * FROM released WHERE stream = 'gates'",
		fmt.Sprintf("DELETE FROM released WHERE stream = 'gates' AND stop <= %d", until.UnixNano()),
	} {
		if _, err := db.Exec(do); err != nil {
			t.Fatal(err)
		}
	}
	right := func(when string) {
		t.Helper()
		harness.Await(t, 30*time.Second, "verify to be content "+when, func() bool {
			code, out := harness.Verb(t, "verify", c.Opendata)
			return code == 0 &&
				strings.Contains(out, "2 released windows are not shown: removed as their decision asks")
		})
		if code, out := harness.Stranger(t, c.Opendata); code != 0 || !strings.Contains(out, "everything adds up") {
			t.Errorf("%s: a stranger's program: %d\n%s", when, code, out)
		}
		if n := len(c.Items("gates", harness.Ten, harness.Ten.Add(4*time.Hour))); n != 4 {
			t.Errorf("%s: %d numbers are shown; want 4", when, n)
		}
	}
	c.Run()
	right("after the removal")
	harness.Await(t, 20*time.Second, "readiness", func() bool { ok, _ := c.Ready(); return ok })
	c.Gateway.Stop(20 * time.Second)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		harness.RemoveAll(t, filepath.Join(state, "ledger.db"+suffix))
	}
	if code, out := harness.Verb(t, "ledger", "recover", "-c", filepath.Join(c.Dir, "gateway.yaml")); code != 0 ||
		strings.Contains(out, "not in the store any more") {
		t.Errorf("recover: %d\n%s", code, out)
	}
	c.Run()
	right("after a recovery")
	if _, err := db.Exec("INSERT INTO released SELECT * FROM kept WHERE stop <= ?", until.UnixNano()); err != nil {
		t.Fatal(err)
	}
	right("when they come back")
	if _, err := db.Exec("DELETE FROM released WHERE stream = 'gates' AND start = ?", until.UnixNano()); err != nil {
		t.Fatal(err)
	}
	harness.Await(t, 30*time.Second, "verify to miss another", func() bool { // answers may be some seconds old
		code, out := harness.Verb(t, "verify", c.Opendata)
		return code == 1 &&
			strings.Contains(out, "gates at "+until.Format(time.RFC3339)+": it was released and is not shown")
	})
	harness.Await(t, 30*time.Second, "a stranger's program to miss another", func() bool {
		code, out := harness.Stranger(t, c.Opendata)
		return strings.Contains(out, "is wrong") && (code != 0 || !strings.Contains(out, "WRONG"))
	})
}

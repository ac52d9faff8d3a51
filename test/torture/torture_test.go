package main

import (
	"database/sql"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestTorture is a tenth of what make torture does. SEED repeats a run, as far as
// processes allow.
func TestTorture(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some minutes")
	}
	seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	if err != nil {
		seed = 1
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d", seed)
	r, err := torture(settings{ctx: t.Context(), root: root, dir: t.TempDir(), seed: seed, duration: 130 * time.Second,
		beside: 2, progress: writer{t}})
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	r.print(&table)
	t.Log("\n" + table.String())
	if r.bad() {
		t.Error("something was lost, doubled, shown twice or said wrongly; see the notes above")
	}
	for _, name := range r.idle() {
		t.Errorf("%s had no trial: its time was over before", name)
	}
	// How many of them a tenth comes to depends on the machine; a long run names each.
	if left := r.unreached(); len(r.points)-len(left) < 60 {
		t.Errorf("trials came to %d of %d points; want 60 at least", len(r.points)-len(left), len(r.points))
	} else {
		t.Logf("no trial came to %v", left)
	}
}

// TestIdle: a phase that ended without a trial is named, and one that was skipped is not.
func TestIdle(t *testing.T) {
	r := &result{rows: []*trial{{name: "idle"}, {name: "skipped", skipped: "there is no tool"}, {name: "tried"}}}
	r.rows[2].row.Trials = 1
	if got := r.idle(); !slices.Equal(got, []string{"idle"}) {
		t.Errorf("without a trial: %q", got)
	}
}

type writer struct{ t *testing.T }

func (w writer) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// TestPoints insists that failpoints are many, have one name each, and are in
// every room that makes something durable.
func TestPoints(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	points, _, err := scan(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(points) < 60 {
		t.Errorf("%d failpoints; want 60 at least", len(points))
	}
	seen := map[string]bool{}
	for _, p := range points {
		if seen[p] {
			t.Errorf("%s is there twice", p)
		}
		seen[p] = true
	}
	for _, want := range []string{
		"gateway/ingest/internal/checkpoint/", "gateway/ledger/", "books/", "perm/", "store/sqlite/",
		"gateway/rollback/", "gateway/activation/",
		"gateway/release/publisher.go", ":j.log.Append#1:before", ":one.Ack#1:after", "keys.Make#1", ".keys.Shred#1",
		":tx.Commit#1",
	} {
		found := false
		for _, p := range points {
			found = found || strings.Contains(p, want)
		}
		if !found {
			t.Errorf("there is no failpoint in %s: has the code moved? see rooms and steps", want)
		}
	}
	for part := range aside {
		if len(matching(points, part)) == 0 {
			t.Errorf("%s is set aside and does not exist", part)
		}
	}
}

// TestLateSession: a session that is over does not take the place of the one that lives,
// however late its goroutine comes to that.
func TestLateSession(t *testing.T) {
	old, anew := &net.TCPConn{}, &net.TCPConn{}
	c := &client{waiting: map[uint16]message{}}
	c.meet(old)
	c.meet(nil)
	c.again(old)
	if c.conn != nil {
		t.Error("what is sent goes to a session that is over")
	}
	c.meet(anew)
	c.again(anew)
	c.again(old)
	if c.conn != net.Conn(anew) {
		t.Error("an old session has taken the place of the new one")
	}
}

// TestOracle shows the oracle each thing that must never be, and sees it speak.
func TestOracle(t *testing.T) {
	number := func(v float64) *float64 { return &v }
	for name, tc := range map[string]struct {
		do   func(w *world)
		want func(v verdicts) int
	}{
		"a number that is too small": {func(w *world) {
			w.exact(0, []item{{Cell: "park", Measure: "turns", Status: "published", Value: number(9)}}, "")
		}, func(v verdicts) int { return v.Lost }},
		"no number and no gap": {func(w *world) {
			w.exact(0, []item{{Cell: "park", Measure: "turns", Status: "no_data"}}, "")
		}, func(v verdicts) int { return v.Lost }},
		"a number that is too large, with a gap": {func(w *world) {
			w.exact(0, []item{{Cell: "park", Measure: "turns", Status: "published", Value: number(11)}}, "gateway_down")
		}, func(v verdicts) int { return v.Doubled }},
		"devices that count again": {func(w *world) {
			w.noisy(0, []item{{Cell: "square", Measure: "devices", Status: "published", Value: number(70)}},
				"keys_lost")
		}, func(v verdicts) int { return v.Doubled }},
		"a device that counts again and again": {func(w *world) {
			w.noisy(0, []item{{Cell: "square", Measure: "devices", Status: "published", Value: number(32)}}, "")
		}, func(v verdicts) int { return v.Doubled }},
		"an epoch that has more than there was": {func(w *world) {
			w.epoch(5, &item{Measure: "units_epoch", Value: number(41)},
				&item{Measure: "units_bounded", Value: number(40)}, true)
		}, func(v verdicts) int { return v.Doubled }},
		"an epoch that has less and no gap": {func(w *world) {
			w.epoch(5, &item{Measure: "units_epoch", Value: number(30)},
				&item{Measure: "units_bounded", Value: number(29)}, false)
		}, func(v verdicts) int { return v.Lost }},
		"another value": {func(w *world) {
			w.remember("the store", "gates", item{Cell: "park", Status: "published", Value: number(1)})
			w.remember("the outbox", "gates", item{Cell: "park", Status: "published", Value: number(2)})
		}, func(v verdicts) int { return v.Twice }},
		"a number of a stream that is suspended": {func(w *world) {
			w.hush[0] = true
			w.noisy(0, []item{{Cell: "square", Measure: "devices", Status: "published", Value: number(30)}}, "")
		}, func(v verdicts) int { return v.Wrong }},
		"a motion that is in force twice": {func(w *world) {
			w.enacted(policies(t, "first", "second", "second"))
		}, func(v verdicts) int { return v.Wrong - 1 }},
		"a motion that was forgotten": {func(w *world) {
			w.enacted(policies(t, "first"))
		}, func(v verdicts) int { return v.Wrong }},
		"motions that are not in their order": {func(w *world) {
			w.enacted(policies(t, "second", "first"))
		}, func(v verdicts) int { return v.Wrong - 1 }},
		"the id of a home in a book": {func(w *world) {
			w.dir = t.TempDir()
			write(t, filepath.Join(w.state(), "public", "register.json"), `{"id": "`+slip+`"}`)
			w.private()
		}, func(v verdicts) int { return v.Wrong }},
	} {
		w := &world{oracle: newOracle(),
			council: &council{known: 2, desk: &desk{chain: []motion{{raw: []byte("first")}, {raw: []byte("second")}}}}}
		w.sums[0] = map[string]truth{"park": {sum: 100, count: 10}}
		w.units[0] = unitTruth{fresh: 30, old: 40}
		tc.do(w)
		if n := tc.want(w.verdicts); n != 1 {
			t.Errorf("%s: %d verdicts; want 1 (%v)", name, n, w.notes)
		}
	}
	w := &world{oracle: newOracle()}
	w.sums[0] = map[string]truth{"park": {sum: 100, count: 10}}
	w.exact(0,
		[]item{{Cell: "park", Measure: "turns", Status: "published", Value: number(10)},
			{Cell: "park", Measure: "passed", Status: "published", Value: number(100)}}, "")
	if len(w.notes) > 0 {
		t.Errorf("what is right is called wrong: %v", w.notes)
	}
}

// TestEpochOverALeap: devices of before and after hours that the clock leapt over are in
// one epoch, and none of another is.
func TestEpochOverALeap(t *testing.T) {
	w := &world{oracle: newOracle()}
	for _, h := range []int{5, 6, 9, 10, 11, 12} { // the epoch is the hours 6 to 11
		w.units[h] = unitTruth{fresh: 40}
	}
	for value, right := range map[float64]bool{120: false, 149: false, 150: true, 160: true, 170: true, 171: false,
		200: false} {
		w.shown, w.verdicts = map[string]string{}, verdicts{}
		none := 0.0
		w.epoch(11, &item{Measure: "units_epoch", Value: &value}, &item{Measure: "units_bounded", Value: &none}, false)
		if (len(w.notes) == 0) != right {
			t.Errorf("of 160 units %v are said: right is %v (%v)", value, right, w.notes)
		}
	}
}

// policies is a ledger that says so many motions are in force.
func policies(t *testing.T, motions ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ledger.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const table = "CREATE TABLE policy (n INTEGER PRIMARY KEY AUTOINCREMENT, motion BLOB)"
	if _, err := db.ExecContext(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	for _, m := range motions {
		if _, err := db.ExecContext(t.Context(), "INSERT INTO policy (motion) VALUES (?)", []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestRefusals: a refusal must end with 3 and name the file and a way back.
func TestRefusals(t *testing.T) {
	for said, ok := range map[string]bool{
		"state/ledger.db is damaged; put back a copy": true,
		"it is damaged; put back a copy":              false,
	} {
		if names("state/ledger.db is flipped", said) != ok {
			t.Errorf("%q names the file: want %v", said, ok)
		}
	}
	if wayBack.MatchString("database disk image is malformed") || !wayBack.MatchString("run sluice ledger recover") {
		t.Error("ways back are not told from complaints")
	}
}

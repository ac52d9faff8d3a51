package opendata

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata"
	"sluice/opendata/archive"
	"sluice/store"
	"sluice/store/table"
	"sluice/test/harness"
	"sluice/test/plaza"
)

// closeMarch enters the lines of March in the books, as a gateway does.
func closeMarch(t *testing.T, q *plaza.Plaza) (sums map[string]string) {
	t.Helper()
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	month, from, to := books.MonthOf(plaza.Dusk, madrid)
	sums = make(map[string]string)
	var lines []byte
	for n, stream := range []string{"noise", "steps"} {
		rows, err := q.Read.Observations(t.Context(), store.Query{Stream: stream, From: from, To: to, Limit: 10_000,
			Which: store.Both})
		if err != nil {
			t.Fatal(err)
		}
		sum := table.NewDigest(madrid)
		for i := range rows {
			if err := sum.Write(&rows[i]); err != nil {
				t.Fatal(err)
			}
		}
		a := books.Archived{N: int64(n + 1), At: to, Gateway: "edge-1", Stream: stream, Month: month,
			Timezone: "Europe/Madrid", From: from, To: to, Windows: 1}
		if a.Rows, a.SHA256, err = sum.Sum(); err != nil || a.Rows == 0 {
			t.Fatal(a.Rows, err)
		}
		raw, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		lines, sums[stream] = append(append(lines, raw...), '\n'), a.SHA256
	}
	if err := q.Books.Put(books.ArchiveName, lines); err != nil {
		t.Fatal(err)
	}
	return sums
}

func fetch(t *testing.T, url string) []byte {
	t.Helper()
	status, _, raw := harness.Answer(t, url)
	if status != http.StatusOK {
		t.Fatalf("%s: %d\n%s", url, status, raw)
	}
	return raw
}

// offered waits until an archive offers March and the year.
func offered(t *testing.T, q *plaza.Plaza) (by map[string]archive.File) {
	t.Helper()
	for end := time.Now().Add(harness.Patience); ; time.Sleep(100 * time.Millisecond) {
		var m archive.Manifest
		if err := json.Unmarshal(fetch(t, q.Base+"/archive/manifest.json"), &m); err != nil {
			t.Fatal(err)
		}
		by = make(map[string]archive.File)
		for _, f := range m.Files {
			by[f.Path] = f
		}
		if by["2026.db"].Bytes > 0 {
			return by
		}
		if time.Now().After(end) {
			t.Fatalf("it offers %v; left out %v\n%s", m.Files, m.LeftOut, &q.Log)
		}
	}
}

// looked waits until an archive has made all that it can make now.
func looked(t *testing.T, q *plaza.Plaza) {
	t.Helper()
	harness.Await(t, harness.Patience, "the archive to be made", func() bool {
		var m archive.Manifest
		if err := json.Unmarshal(fetch(t, q.Base+"/archive/manifest.json"), &m); err != nil {
			t.Fatal(err)
		}
		return !m.Through.IsZero() && len(m.Files) > 0
	})
}

// TestArchive: from both stores come the same files, which other programs read: Python the
// CSV and the SQLite file, DuckDB the Parquet file. The page names them.
func TestArchive(t *testing.T) {
	first := make(map[string]string)
	plaza.InStores(t, func(t *testing.T, q *plaza.Plaza) {
		q.Stop()
		sums := closeMarch(t, q)
		q.Open(opendata.Config{URL: "https://data.portalba.example", Archive: opendata.Archive{Dir: t.TempDir()}})
		by := offered(t, q)
		dir := t.TempDir()
		for path, f := range by {
			raw := fetch(t, q.Base+"/archive/"+path)
			if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != f.SHA256 {
				t.Errorf("%s is not what the manifest says", path)
			}
			if was := first[path]; was != "" && was != f.SHA256 {
				t.Errorf("%s has other bytes from another store", path)
			}
			first[path] = f.SHA256
			if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(path, "/", "-")), raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if len(by) != 5 || by["steps/2026/03.csv.gz"].TextSHA256 != sums["steps"] {
			t.Errorf("it offers %v", by)
		}
		if page := string(fetch(t, q.Base+"/archive?lang=ca")); !strings.Contains(page, "/archive/2026.db") ||
			!strings.Contains(page, sums["noise"]) || !strings.Contains(page, "Fitxers sencers") {
			t.Errorf("the page is\n%s", page)
		}
		readByPython(t, dir, sums["steps"])
		readByDuckDB(t, dir, by["steps/2026/03.parquet"].Rows)
	})
}

const python = `
import csv, gzip, hashlib, sqlite3, sys
text = gzip.open(sys.argv[1] + "/steps-2026-03.csv.gz").read()
assert hashlib.sha256(text).hexdigest() == sys.argv[2]
rows = list(csv.DictReader(text.decode().splitlines()))
db = sqlite3.connect(sys.argv[1] + "/2026.db")
db.row_factory = sqlite3.Row
own = [dict(r) for r in db.execute("SELECT * FROM everything WHERE stream = 'steps' ORDER BY start_utc, cell, measure")]
assert len(rows) == len(own) > 100, (len(rows), len(own))
for a, b in zip(rows, own):
    for name in ("start_utc", "start_local", "end_utc", "cell", "measure", "status", "unit", "decision"):
        assert a[name] == b[name], (name, a, b)
    assert (a["value"] == "") == (b["value"] is None) and (a["value"] == "" or float(a["value"]) == b["value"])
for view in ("observations", "by_day", "by_hour_of_week", "epochs"):
    db.execute("SELECT * FROM " + view).fetchall()
assert sum(r["windows"] for r in db.execute("SELECT windows FROM by_day WHERE stream = 'steps'")) == len(own)
assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
`

func readByPython(t *testing.T, dir, sum string) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Log("python3 is not here, so it does not read the files")
		return
	}
	if out, err := exec.CommandContext(t.Context(), "python3", "-c", python, dir, sum).CombinedOutput(); err != nil {
		t.Errorf("python3: %v\n%s", err, out)
	}
}

const duckdb = `
const { DuckDBInstance } = require("@duckdb/node-api");
(async () => {
  const db = await (await DuckDBInstance.create(":memory:")).connect();
  const ask = async (sql) => (await db.runAndReadAll(sql)).getRowsJson()[0];
  const at = process.argv[1] + "/steps-2026-03.";
  const both = "(SELECT start_utc, end_utc, cell, measure, value, status, low, high, unit, epsilon, scale, ledger FROM ";
  const [n, type] = await ask("SELECT count(*), min(typeof(start_utc)) FROM '" + at + "parquet'");
  const [more] = await ask("SELECT count(*) FROM (" + both + "'" + at + "parquet') EXCEPT " + both + "read_csv('" +
    at + "csv.gz')))");
  const [less] = await ask("SELECT count(*) FROM (" + both + "read_csv('" + at + "csv.gz')) EXCEPT " + both + "'" +
    at + "parquet'))");
  const keys = await ask("SELECT string_agg(key, ' ' ORDER BY key) FROM parquet_kv_metadata('" + at + "parquet')");
  console.log(JSON.stringify([Number(n), type, Number(more), Number(less), keys[0]]));
})();
`

func readByDuckDB(t *testing.T, dir string, rows int64) {
	t.Helper()
	installed, err := filepath.Abs(filepath.Join("..", "..", ".tools", "browser", "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(installed, "@duckdb", "node-api")); err != nil {
		t.Log("DuckDB is not here, so it does not read the files: make tools")
		return
	}
	c := exec.CommandContext(t.Context(), "node", "-e", duckdb, dir)
	c.Env = append(os.Environ(), "NODE_PATH="+installed)
	out, err := c.CombinedOutput()
	var got []any
	if err != nil || json.Unmarshal(out, &got) != nil {
		t.Fatalf("DuckDB: %v\n%s", err, out)
	}
	if len(got) != 5 || got[0] != float64(rows) || got[1] != "TIMESTAMP WITH TIME ZONE" || got[2] != 0.0 ||
		got[3] != 0.0 {
		t.Errorf("DuckDB reads %v; there are %d rows", got, rows)
	}
	t.Logf("DuckDB reads %v", got)
}

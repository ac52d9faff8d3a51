package test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/store"
	"sluice/store/sqlite"
)

// forged puts a window that was never released into the store, first where there is
// none and then between two: it is not shown, and that it is there is said. Where
// another program shows it, both checks object. A number that is changed is not shown
// either, soon.
func (c *city) forged() {
	t, ctx := c.t, context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(c.dir, "state", "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Observations(ctx, store.Query{Stream: "gates", From: ten, To: ten.Add(time.Hour), Limit: 2})
	if err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	before := readAll(t, c.opendata, "/api/v1/streams/gates/observations?limit=1&from=1971-01-01&to=2199-01-01")
	for _, years := range []int{-20, 20} {
		for i := range rows {
			rows[i].Start, rows[i].End = rows[i].Start.AddDate(years, 0, 0), rows[i].End.AddDate(years, 0, 0)
		}
		if err := db.Write(ctx, rows); err != nil {
			t.Fatal(err)
		}
		if code, out := verb(t, "verify", c.opendata); code != 0 {
			t.Errorf("verify, with a window forged: %d\n%s", code, out)
		}
		at, liar := rows[0].Start.Format(time.RFC3339), c.liar(rows)
		if code, out := verb(t, "verify", liar); code != 1 ||
			!strings.Contains(out, "gates at "+at+": it is shown and was never released") {
			t.Errorf("verify, with a window forged at %s: %d\n%s", at, code, out)
		}
		if code, out := stranger(t, liar); !strings.Contains(out, "is wrong") ||
			code == 0 && strings.Contains(out, "WRONG") {
			t.Errorf("a stranger's program, with a window forged: %d\n%s", code, out)
		}
		for i := range rows { // and back
			rows[i].Start, rows[i].End = rows[i].Start.AddDate(-years, 0, 0), rows[i].End.AddDate(-years, 0, 0)
		}
	}
	after := func() int {
		return len(readAll(t, c.opendata, "/api/v1/streams/gates/observations?limit=1&from=1971-01-01&to=2199-01-01"))
	}
	if got := after(); got != len(before) {
		t.Errorf("%d numbers are shown; want the %d that were released", got, len(before))
	}
	await(t, 30*time.Second, "it to be said", func() bool {
		_, _, body := get(t, c.opendata+"/readyz")
		return after() == len(before) &&
			strings.Contains(string(body), "the store has rows of 2 windows that have no line in the books")
	})
	raw, err := sql.Open("sqlite", sqlite.DSN(filepath.Join(c.dir, "state", "store.db"), false))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Exec("UPDATE released SET value = 777, low = 777, high = 777 WHERE stream = 'gates' AND start = ?",
		ten.UnixNano()); err != nil {
		t.Fatal(err)
	}
	await(t, 100*time.Second, "the window that is not what was released to be left out", func() bool {
		return after() < len(before)
	})
	if code, out := verb(t, "verify", c.opendata); code != 1 ||
		!strings.Contains(out, "it was released and is not shown") {
		t.Errorf("verify, with a number changed: %d\n%s", code, out)
	}
	c.gateway.stop(20 * time.Second)
	c.run()
	c.gateway.find(`the store has what the journal has not" problem="the store has 2 windows of 1 stream`)
	if _, _, body := get(t, c.admin+"/readyz"); !strings.Contains(string(body), `"notes":["the store has 2 windows`) {
		t.Errorf("readiness does not note it: %s", body)
	}
	if !strings.Contains(c.metrics(), `sluice_store_differs_windows{how="extra"} 2`) {
		t.Error("the metrics do not have it")
	}
}

// liar is an open-data server that shows more rows of the stream gates.
func (c *city) liar(rows []store.Observation) string {
	to, err := url.Parse(c.opendata)
	if err != nil {
		c.t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/streams/gates/observations" || r.URL.Query().Has("cursor") {
			proxy.ServeHTTP(w, r)
			return
		}
		var page struct {
			Items []any   `json:"items"`
			Next  *string `json:"next"`
		}
		resp, err := http.Get(c.opendata + r.URL.RequestURI())
		if err == nil {
			err = errors.Join(json.NewDecoder(resp.Body).Decode(&page), resp.Body.Close())
		}
		for _, o := range rows {
			page.Items = append(page.Items, o)
		}
		if err == nil {
			err = json.NewEncoder(w).Encode(page)
		}
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	c.t.Cleanup(s.Close)
	return s.URL
}

// touched changes one byte of each book in a copy: every change is found.
func (c *city) touched() {
	t := c.t
	books := filepath.Join(c.dir, "state", "public")
	for name, change := range map[string][2]string{
		"ledger.jsonl":   {`"epsilon":20`, `"epsilon":2`},
		"releases.jsonl": {`"rows":1`, `"rows":3`},
		"streams.json":   {`"public_from": `, `"public_from": 1`},
	} {
		copied := filepath.Join(t.TempDir(), "books")
		if err := os.CopyFS(copied, os.DirFS(books)); err != nil {
			t.Fatal(err)
		}
		old := read(t, filepath.Join(copied, name))
		write(t, filepath.Join(copied, name), strings.Replace(old, change[0], change[1], 1))
		if code, out := verb(t, "ledger", "verify", copied); code != 1 || !strings.Contains(out, "WRONG") {
			t.Errorf("with %s touched: %d\n%s", name, code, out)
		}
		if code, out := stranger(t, copied); name != "streams.json" &&
			(code == 0 && !strings.Contains(out, "is wrong")) {
			t.Errorf("with %s touched, a stranger's program says %d\n%s", name, code, out)
		}
	}
	plans, err := filepath.Glob(filepath.Join(books, "plans", "*.json"))
	if err != nil || len(plans) != 2 {
		t.Fatal(plans, err)
	}
}

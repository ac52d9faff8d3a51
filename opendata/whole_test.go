package opendata

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/books"
	"sluice/store"
	"sluice/test/entered"
	"sluice/test/raced"
)

// year is a store of a stream with hourly windows, whose rows are made when they are asked
// for. Windows from broken on cannot be read; zero for none.
type year struct {
	cells  []string
	hours  int
	broken time.Time
	asked  atomic.Int64
	most   atomic.Int64 // rows of one answer
}

var newYear = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

var errBroken = errors.New("the disk is gone")

func (y *year) row(hour, cell int) store.Observation {
	value := float64(hour%24*100 + cell)
	start := newYear.Add(time.Duration(hour) * time.Hour)
	return store.Observation{
		Gateway: "edge-1", Stream: "steps", Start: start, End: start.Add(time.Hour), Every: "PT1H", Cell: y.cells[cell],
		Zone: y.cells[cell], Measure: "count",
		Status: store.Published, Value: &value, Low: &value, High: &value, Unit: "person", Decision: "1",
		Policy: "sha256:0",
	}
}

func (y *year) Observations(ctx context.Context, q store.Query) (list []store.Observation, err error) {
	y.asked.Add(1)
	if q.Which == store.Epochs {
		return nil, nil
	}
	for hour := max(0, int(q.From.Sub(newYear)/time.Hour)); hour < y.hours && len(list) < q.Limit; hour++ {
		start := newYear.Add(time.Duration(hour) * time.Hour)
		if !y.broken.IsZero() && !start.Before(y.broken) {
			return nil, errBroken
		}
		if start.Before(q.From) || !start.Before(q.To) {
			continue
		}
		for cell := range y.cells {
			if q.After != nil &&
				(start.Before(q.After.Start) ||
					start.Equal(q.After.Start) && y.cells[cell]+" "+"edge-1" <= q.After.Cell+" "+q.After.Gateway) {
				continue
			}
			if len(list) < q.Limit {
				list = append(list, y.row(hour, cell))
			}
		}
	}
	y.most.Store(max(y.most.Load(), int64(len(list))))
	return list, ctx.Err()
}

func (y *year) ClosedUntil(context.Context, string) (time.Time, error) {
	return newYear.Add(time.Duration(y.hours) * time.Hour), nil
}

// open serves a store of so many cells and hours, with books that have a line of each.
func openYear(t *testing.T, cells, hours int, broken time.Time) (*year, string) {
	t.Helper()
	y := &year{hours: hours, broken: broken}
	st := books.Stream{ID: "steps", Every: "PT1H", Timezone: "Europe/Madrid", Unit: "none", Decision: "1",
		Measures: []books.Measure{{Name: "count", Of: "count"}}}
	for n := range cells {
		id := fmt.Sprintf("zone-%02d", n)
		y.cells = append(y.cells, id)
		st.Cells = append(st.Cells, books.Cell{ID: id, Zone: id})
	}
	dir := books.Dir(t.TempDir())
	put := func(name string, v any) {
		raw, err := json.Marshal(v)
		if err == nil {
			err = dir.Put(name, raw)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put("city.json", map[string]any{"name": "Portalba"})
	put("streams.json", []books.Stream{st})
	for hour := 0; hour < hours; hour += 2000 {
		var rows []store.Observation
		for h := hour; h < min(hours, hour+2000); h++ {
			for cell := range cells {
				rows = append(rows, y.row(h, cell))
			}
		}
		if err := entered.Enter(dir, rows); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(Config{HTTP: "127.0.0.1:0"}, y, dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return y, "http://" + s.Addr()
}

const allYear = "/api/v1/streams/steps/observations?from=2025-01-01T00:00:00Z&to=2026-01-01T00:00:00Z"

func fetch(t *testing.T, address string) (*http.Response, []byte) {
	t.Helper()
	resp, err := http.Get(address) //nolint:noctx // it is over with the test
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	return resp, body
}

// TestWholeYear: a year of fifty places is one file in either form, compressed or not, and
// takes little memory, however long it is.
func TestWholeYear(t *testing.T) {
	raced.Skip(t)
	const cells, hours = 50, 365 * 24
	y, base := openYear(t, cells, hours, time.Time{})
	archived(t, base)                                 // what that takes is no part of an answer
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // however tests are run
	runtime.GC()
	before := heap()
	for _, x := range []struct {
		form, gzip string
		rows       func(io.Reader) int
	}{{"csv", "gzip", csvRows}, {"json", "", jsonRows}} {
		begun := time.Now()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+allYear+"&format="+x.form, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{DisableCompression: x.gzip == ""}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		most := watchHeap(t.Context())
		rows := x.rows(resp.Body)
		peak := most()
		resp.Body.Close()
		transport.CloseIdleConnections()
		if rows != cells*hours || resp.StatusCode != http.StatusOK || resp.Uncompressed != (x.gzip != "") {
			t.Errorf("%s %s: %d rows, %d; want %d", x.form, x.gzip, rows, resp.StatusCode, cells*hours)
		}
		if grew := int64(peak) - int64(before); grew > 48<<20 { // with what the collector has not collected
			t.Errorf("%s %s: the heap grew by %d MiB", x.form, x.gzip, grew>>20)
		}
		t.Logf("%s %s: %d rows in %s, heap %d MiB, %d MiB before", x.form, x.gzip, rows,
			time.Since(begun).Round(time.Millisecond), peak>>20, before>>20)
	}
	if y.most.Load() > 2001 {
		t.Errorf("the store was asked for %d rows at once", y.most.Load())
	}
	resp, err := http.Head(base + allYear) //nolint:noctx // it is over with the test
	if err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" ||
		resp.Header.Get("ETag") != "" {
		t.Errorf("HEAD is %v, %v", resp, err)
	}
	resp.Body.Close()
}

// archived waits until the archive's files are made.
func archived(t *testing.T, base string) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		resp, err := http.Get(base + "/archive/steps/latest.parquet") //nolint:noctx // it is over with the test
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
		if time.Since(begun) > 5*time.Minute {
			t.Fatalf("there is no archive: %s", resp.Status)
		}
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// watchHeap returns what tells the largest heap since.
func watchHeap(ctx context.Context) func() uint64 {
	ctx, stop := context.WithCancel(ctx)
	out := make(chan uint64)
	go func() {
		most := heap()
		for {
			select {
			case <-ctx.Done():
				out <- most
				return
			case <-time.After(20 * time.Millisecond):
				most = max(most, heap())
			}
		}
	}()
	return func() uint64 { stop(); return <-out }
}

func csvRows(r io.Reader) (n int) {
	for s := bufio.NewScanner(r); s.Scan(); {
		n++
	}
	return n - 1
}

// jsonRows counts the items; -1 for what does not end as a whole answer does.
func jsonRows(r io.Reader) (n int) {
	var tail []byte
	for part := make([]byte, 64<<10); ; {
		k, err := r.Read(part)
		n -= bytes.Count(tail, []byte(`{"start":`))
		tail = append(tail, part[:k]...)
		n += bytes.Count(tail, []byte(`{"start":`))
		tail = append([]byte{}, tail[max(0, len(tail)-30):]...)
		if err != nil {
			if err != io.EOF || !bytes.HasSuffix(tail, []byte("],\"next\":null,\"epochs\":[]}\n")) {
				return -1
			}
			return n
		}
	}
}

// TestWholeIsItsPages: what comes at once is what comes page by page, on both sides of the
// length from which on it comes in parts, and with holes of years around it.
func TestWholeIsItsPages(t *testing.T) {
	raced.Skip(t)
	for _, hours := range []int{1, 665, 667, 668, 1500} { // of 3 cells
		_, base := openYear(t, 3, hours, time.Time{})
		for _, path := range []string{allYear, "/api/v1/streams/steps/observations?from=1970-01-01",
			allYear + "&cell=zone-01&cell=zone-02"} {
			type answer struct {
				Items  []json.RawMessage
				Next   *string
				Epochs []json.RawMessage
			}
			var whole answer
			_, body := fetch(t, base+path)
			if err := json.Unmarshal(body, &whole); err != nil || whole.Next != nil || whole.Epochs == nil {
				t.Fatalf("%s: %v, %.100s", path, err, body)
			}
			csvPage := ""
			var pages []json.RawMessage
			for next := path + "&limit=400"; next != ""; {
				resp, body := fetch(t, base+next)
				_, table := fetch(t, base+next+"&format=csv")
				if csvPage != "" {
					_, table, _ = bytes.Cut(table, []byte("\n"))
				}
				csvPage += string(table)
				var page answer
				if err := json.Unmarshal(body, &page); err != nil {
					t.Fatal(err)
				}
				pages, next = append(pages, page.Items...), ""
				if resp.StatusCode != http.StatusOK {
					t.Fatalf("a page is %d %.200s", resp.StatusCode, body)
				}
				if page.Next != nil {
					next = *page.Next
				}
			}
			if !slices.EqualFunc(whole.Items, pages, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
				t.Errorf("%d hours, %s: %d rows at once, %d in pages", hours, path, len(whole.Items), len(pages))
			}
			if resp, table := fetch(t, base+path+"&format=csv"); string(table) != csvPage ||
				!strings.Contains(resp.Header.Get("Content-Disposition"), "steps.csv") {
				t.Errorf("%d hours, %s: the table at once is not its pages", hours, path)
			}
		}
	}
}

// TestBrokenFile: a file that breaks off looks like none that is whole, to whom speaks
// HTTP/1.0 as well, as some proxies do.
func TestBrokenFile(t *testing.T) {
	_, base := openYear(t, 10, 1000, newYear.Add(700*time.Hour))
	for _, version := range []string{"1.0", "1.1"} {
		for _, form := range []string{"csv", "json"} {
			for _, coding := range []string{"identity", "gzip"} {
				c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://")) //nolint:noctx // it is on loopback
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(c, "GET %s&format=%s HTTP/%s\r\nHost: x\r\nAccept-Encoding: %s\r\n\r\n", allYear, form,
					version, coding)
				resp, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil {
					t.Fatal(err)
				}
				n, err := io.Copy(io.Discard, resp.Body)
				if resp.StatusCode != http.StatusOK || err == nil {
					t.Errorf("HTTP/%s, %s, %s: %d bytes of %d are taken for the whole", version, form, coding, n,
						resp.StatusCode)
				}
				_ = resp.Body.Close()
				_ = c.Close()
			}
		}
	}
	other := strings.Replace(allYear, "2025-01-01", "2025-02-01", 1)
	if resp, body := fetch(t, base+other); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("where nothing can be read, the answer is %d %.100s", resp.StatusCode, body)
	}
}

package verify

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/store"
	"sluice/store/table"
)

// shelf is an archive in memory.
type shelf map[string][]byte

func (s shelf) File(_ context.Context, path string) (io.ReadCloser, error) {
	raw, there := s[path]
	if !there {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(raw)), nil
}

// sums is books that have nothing but lines of months.
type sums []books.Archived

func (s sums) Get(name string) ([]byte, error) {
	if name != books.ArchiveName {
		return nil, fs.ErrNotExist
	}
	var b []byte
	for _, a := range s {
		raw, err := json.Marshal(a)
		if err != nil {
			return nil, err
		}
		b = append(append(b, raw...), '\n')
	}
	return b, nil
}

func hexOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// TestCheckFiles: a file that is not what the manifest or the books say is called wrong, of
// one gateway and of two; one that was not closed is not looked at.
func TestCheckFiles(t *testing.T) {
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var text bytes.Buffer
	w := table.NewWriter(&text, time.UTC)
	own := []*table.Digest{table.NewDigest(time.UTC), table.NewDigest(time.UTC)}
	for i := range 10 {
		v := float64(i)
		o := store.Observation{Gateway: []string{"edge-1", "edge-2"}[i%2], Stream: "s", Start: from,
			End: from.Add(time.Hour), Cell: "abcdefghij"[i : i+1], Measure: "m", Status: store.Published,
			Value: &v, Low: &v, High: &v}
		if i == 0 {
			o.Gateway = "edge-0" // as it was called before
		}
		if err := w.Write(&o); err != nil {
			t.Fatal(err)
		}
		if err := own[i%2].Write(&o); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	zipped := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := io.WriteString(z, text); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	line := func(i int, gateway string, names ...string) sums {
		n, sum, err := own[i].Sum()
		if err != nil {
			t.Fatal(err)
		}
		return sums{{N: 1, Gateway: gateway, Names: names, Stream: "s", Month: "2026-03", Rows: n, SHA256: sum}}
	}
	both := []sums{line(0, "edge-1", "edge-0"), line(1, "edge-2")}
	const path = "s/2026/03.csv.gz"
	for name, c := range map[string]struct {
		text   func(string) string
		books  []sums
		change func(shelf)
		closed bool
		want   string
	}{
		"right":   {nil, both, nil, true, ""},
		"no line": {nil, both[:1], nil, true, "a gateway that has no line"},
		"not whole": {func(s string) string { return s[:strings.LastIndexByte(s[:len(s)-1], '\n')+1] }, both, nil, true,
			"not those of line 1"},
		"a number": {func(s string) string { return strings.Replace(s, ",3,", ",4,", 1) }, both, nil, true,
			"not those of line 1"},
		"the old name": {nil, []sums{line(0, "edge-1"), both[1]}, nil, true, "a gateway that has no line"},
		"bytes":        {nil, both, func(s shelf) { s[path] = append(s[path], 0) }, true, "not what the manifest says"},
		"gone":         {nil, both, func(s shelf) { delete(s, path) }, true, "not what the manifest says"},
		"no gzip":      {nil, both, func(s shelf) { s[path] = []byte("no gzip") }, true, "not what the manifest says"},
		"open":         {nil, both, func(s shelf) { delete(s, path) }, false, ""},
		"no archive":   {nil, both, func(s shelf) { clear(s) }, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			body := text.String()
			if c.text != nil {
				body = c.text(body)
			}
			raw := zipped(body)
			manifest, err := json.Marshal(map[string]any{"files": []map[string]any{{"path": path,
				"stream": "s", "month": "2026-03", "format": "csv.gz", "sha256": hexOf(raw), "bytes": len(raw),
				"closed": c.closed}}})
			if err != nil {
				t.Fatal(err)
			}
			s := shelf{"manifest.json": manifest, path: raw}
			if c.change != nil {
				c.change(s)
			}
			var all []books.Reader
			for _, b := range c.books {
				all = append(all, books.Reader{Source: b})
			}
			var r Report
			if err := CheckFiles(t.Context(), all, s, &r); err != nil {
				t.Fatal(err)
			}
			said := strings.Join(r.Problems, "; ")
			if (said == "") != (c.want == "") || !strings.Contains(said, c.want) {
				t.Errorf("it says %q; want %q", said, c.want)
			}
		})
	}
}

// withMonths is a city's books with lines of months.
type withMonths struct {
	*fake
	lines []byte
}

func (w withMonths) Get(name string) ([]byte, error) {
	if name == books.ArchiveName {
		return w.lines, nil
	}
	return w.fake.Get(name)
}

func lineOf(t *testing.T, a books.Archived) []byte {
	t.Helper()
	raw, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestMonths: a line of a month is checked against the calendar, the released windows and the
// line before of the same month.
func TestMonths(t *testing.T) {
	march := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	good := books.Archived{At: march.AddDate(0, 1, 0), Stream: "s", Month: "2026-03", Timezone: "UTC", From: march,
		To: march.AddDate(0, 1, 0), Windows: 2, Rows: 2, SHA256: strings.Repeat("a", 64)}
	first, again := good, good
	first.N, again.Replaces = 1, 1
	for name, c := range map[string]struct {
		change func(*books.Archived)
		want   string
	}{
		"right":      {func(*books.Archived) {}, ""},
		"month":      {func(a *books.Archived) { a.Month = "2026-04" }, "line 2: from and to are not its month's"},
		"too early":  {func(a *books.Archived) { a.At = a.To.Add(-time.Hour) }, "line 2: its month was not over"},
		"more":       {func(a *books.Archived) { a.Windows = 3 }, "line 2: it says 3 windows; 2 were released"},
		"no link":    {func(a *books.Archived) { a.Replaces = 0 }, "line 2: it replaces line 0; the line before of"},
		"other link": {func(a *books.Archived) { a.Stream = "other" }, "line 2: it replaces line 1"},
	} {
		second := again
		c.change(&second)
		second.N, second.PrevSHA256 = 2, books.Hash(string(lineOf(t, first)))
		all := append(lineOf(t, first), '\n')
		r, err := Check(books.Reader{Source: withMonths{right(t), append(append(all, lineOf(t, second)...), '\n')}})
		if err != nil {
			t.Fatal(err)
		}
		if said := strings.Join(r.Problems, "; "); (said == "") != (c.want == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: it says %q; want %q", name, said, c.want)
		}
	}
}

package released

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/store"
	"sluice/test/raced"
)

// TestFiveYearsOfBooks reads the lines of ten hourly streams over five years and prints
// what that takes; what it asserts is a bound ten times as wide.
func TestFiveYearsOfBooks(t *testing.T) {
	raced.Skip(t)
	if testing.Short() {
		t.Skip("it writes 180 MiB")
	}
	dir := books.Dir(t.TempDir())
	const hours, streams = 5 * 365 * 24, 10
	sum := strings.Repeat("0", 64)
	err := dir.Write("releases.jsonl", func(w io.Writer) error {
		b := bufio.NewWriter(w)
		for n := range hours * streams {
			at := noon.Add(time.Duration(n/streams) * time.Hour)
			fmt.Fprintf(b,
				`{"n":%d,"gateway":"edge-1","stream":"stream-%d","start":%q,"end":%q,"policy":%q,"plan":%q,`+
					`"ledger":%d,"rows":500,"sha256":%q,"prev_sha256":%q}`+"\n",
				n+1, n%streams, at.Format(time.RFC3339), at.Add(time.Hour).Format(time.RFC3339), sum, sum, n/24+1, sum,
				sum)
		}
		return b.Flush()
	})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := New(&shelf{}, dir, slog.New(slog.DiscardHandler))
	begun := time.Now()
	if _, err := s.Observations(t.Context(), store.Query{Stream: "stream-1", To: noon, Limit: 1}); err != nil {
		t.Fatal(err)
	}
	took := time.Since(begun)
	runtime.GC()
	runtime.ReadMemStats(&after)
	held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d lines are read in %s and hold %d KiB", hours*streams, took.Round(time.Millisecond), held>>10)
	if took > 30*time.Second || held > 10<<20 {
		t.Errorf("it took %s and holds %d bytes", took, held)
	}
	runtime.KeepAlive(s)
}

package verify

import (
	"testing"

	"time"

	"sluice/books"
)

// removed has the first window removed, a month after its end.
func removed(f *fake, change func(*books.Removal)) {
	end := noon.Add(time.Hour)
	r := books.Removal{At: end.AddDate(0, 1, 0), Gateway: "g", Stream: "s", Decision: "1", Retain: "P1M", Until: end,
		Policy: "now"}
	if change != nil {
		change(&r)
	}
	f.removals, f.retain, f.shown = []books.Removal{r}, "P1M", f.shown[1:]
}

// TestKeptAsLongAsDecided: hours and days have times of their own, and what is shown for too long
// is said.
func TestKeptAsLongAsDecided(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fake)
		named  string
	}{
		"hours and days apart": {func(f *fake) {
			removed(f, nil)
			f.retain = "{hours: P1M, days: forever}"
		}, ""},
		"days of which hours were removed": {func(f *fake) {
			removed(f, nil)
			f.retain = "{hours: P1Y, days: P1M}"
		}, "says P1Y"},
		"hours that are kept for ever": {func(f *fake) {
			removed(f, nil)
			f.retain = "{hours: forever, days: forever}"
		}, "does not say for how long"},
		"a number that is kept too long": {func(f *fake) {
			f.retain = "P1D"
			last := &f.releases[len(f.releases)-1]
			last.Start, last.End = last.Start.AddDate(0, 0, 7), last.End.AddDate(0, 0, 7)
		}, "keeps it no longer"},
	} {
		t.Run(name, func(t *testing.T) {
			f := right(t)
			c.change(f)
			finds(t, f, c.named)
		})
	}
}
